#define _DEFAULT_SOURCE

#include "base/process.h"

#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

static size_t page_size(void) {
    return (size_t)sysconf(_SC_PAGESIZE);
}

void process_init(struct process *process) {
    *process = (struct process){ .id = (int)getpid() };
#ifdef MADV_WIPEONFORK
    void *page = mmap(NULL, page_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) return;
    if (madvise(page, page_size(), MADV_WIPEONFORK) != 0) {
        munmap(page, page_size());
        return;
    }
    process->mark = page;
    *process->mark = 1;
#endif
}

void process_free(struct process *process) {
    if (process->mark) munmap(process->mark, page_size());
    process->mark = NULL;
}

bool process_is_own(const struct process *process) {
    return process->mark ? *process->mark == 1 : process->id == (int)getpid();
}
