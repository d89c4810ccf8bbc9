#define _DEFAULT_SOURCE

#include "base/process.h"

#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static int exit_code_of(pid_t child) {
    int status = -1;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test(struct process *process, const char *way) {
    CHECK(process_is_own(process), "the process itself (%s)", way);
    pid_t child = fork();
    if (child == 0) _exit(process_is_own(process) ? 1 : 0);
    CHECK(exit_code_of(child) == 0, "not its child (%s)", way);
    CHECK(process_is_own(process), "still the process itself (%s)", way);
}

int main(void) {
    struct process process;
    process_init(&process);
    test(&process, "by a wiped page, where the kernel has it");
    process_free(&process);
    test(&process, "by its id");
    return check_done();
}
