/* Tells a process from its children by fork, without asking the kernel each time. */
#ifndef LIGA_BASE_PROCESS_H
#define LIGA_BASE_PROCESS_H

#include <stdbool.h>

/* A byte on a page that the kernel wipes in a child (MADV_WIPEONFORK, Linux 4.14); elsewhere the process id. */
struct process {
    unsigned char *mark;        /* NULL: not supported, ask for the id */
    int id;
};

void process_init(struct process *process);
void process_free(struct process *process);

/* True in the process that called process_init, false in its children. */
bool process_is_own(const struct process *process);

#endif
