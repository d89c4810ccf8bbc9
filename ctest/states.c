/* A host of several Lua states: side by side in one thread, each in a thread of its own, and copied by fork.
 *
 *     states <scenario.lua> <url> ...
 *
 * The scenario is a table of functions: open(url, id) connects, again() uses the connection, begin() and commit() have a
 * transaction open meanwhile, ask(url) and hear() statements on their way; child(), own(url) and overhear(url) run in a
 * child. What a state leaves open is closed with it; the modules are unloaded with the last state and loaded again. */
#define _POSIX_C_SOURCE 200809L

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { STATES = 4, THREADS = 6, ROUNDS = 2 };

static const char *scenario;

static lua_State *state_new(void) {
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    if (luaL_dofile(L, scenario)) fprintf(stderr, "%s\n", lua_tostring(L, -1));
    return L;
}

/* Calls a function of the scenario with the URL and the number of the state. */
static bool call(lua_State *L, const char *name, const char *url, int id) {
    lua_settop(L, 1);
    lua_getfield(L, 1, name);
    lua_pushstring(L, url);
    lua_pushinteger(L, id);
    if (lua_pcall(L, 2, 0, 0) == LUA_OK) return true;
    fprintf(stderr, "# %s: %s\n", name, luaL_tolstring(L, -1, NULL));
    return false;
}

/* ------------------------------------------------------------------------------------------------- side by side */

/* After each that is closed the others go on. */
static bool close_in_order(lua_State **states, const int *order, const char *url) {
    bool fine = true;
    for (int i = 0; i < STATES; i++) {
        lua_close(states[order[i]]);
        for (int k = i + 1; i == 0 && k < STATES; k++) fine = call(states[order[k]], "again", url, order[k]) && fine;
    }
    return fine;
}

static void test_side_by_side(const char *url) {
    static const int orders[][STATES] = { { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 3, 0, 2 } };
    for (size_t o = 0; o < sizeof orders / sizeof orders[0]; o++) {
        lua_State *states[STATES];
        bool fine = true;
        for (int i = 0; i < STATES; i++) {
            states[i] = state_new();
            fine = call(states[i], "open", url, i) && fine;
        }
        fine = close_in_order(states, orders[o], url) && fine;
        CHECK(fine, "states side by side, closed in order %d %d %d %d", orders[o][0], orders[o][1], orders[o][2], orders[o][3]);
    }
}

/* ------------------------------------------------------------------------------------------------------ threads */

struct job {
    pthread_t thread;
    const char *url;
    int id;
    bool fine;
};

static void *work(void *argument) {
    struct job *job = argument;
    job->fine = true;
    for (int i = 0; i < ROUNDS; i++) {
        lua_State *L = state_new();
        job->fine = call(L, "open", job->url, job->id) && call(L, "again", job->url, job->id) && job->fine;
        lua_close(L);
    }
    return NULL;
}

static void test_threads(const char *url) {
    struct job jobs[THREADS];
    bool fine = true;
    for (int i = 0; i < THREADS; i++) {
        jobs[i] = (struct job){ .url = url, .id = 10 + i };
        pthread_create(&jobs[i].thread, NULL, work, &jobs[i]);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(jobs[i].thread, NULL);
        fine = fine && jobs[i].fine;
    }
    CHECK(fine, "a state in each of %d threads", THREADS);
}

/* --------------------------------------------------------------------------------------------------------- fork */

/* A child can't close what its parent has open, so it loses that memory: the leak sanitizer asks here whether to look. */
static bool is_child;

__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void) {
    return is_child;
}

enum ending { AT_ONCE, CLOSED, OS_EXIT, OS_EXIT_CLOSED, ENDINGS };

static const char *const ending_names[ENDINGS] = { "_exit", "lua_close and exit", "os.exit(0)", "os.exit(0, true)" };

static void end_child(lua_State *L, enum ending ending) {
    if (ending == OS_EXIT) luaL_dostring(L, "os.exit(0)");
    if (ending == OS_EXIT_CLOSED) luaL_dostring(L, "os.exit(0, true)");
    if (ending == AT_ONCE) _exit(0);
    lua_close(L);
    exit(0);
}

static bool run_child(lua_State *L, const char *url, enum ending ending) {
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        is_child = true;
        alarm(30);
        if (!call(L, "child", url, 0) || !call(L, "own", url, 0) || !call(L, "overhear", url, 0)) _exit(1);
        end_child(L, ending);
    }
    int status;
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void test_fork(const char *url) {
    for (int ending = 0; ending < ENDINGS; ending++) {
        lua_State *L = state_new();
        bool fine = call(L, "open", url, 20) && run_child(L, url, (enum ending)ending) && call(L, "again", url, 20);
        fine = fine && call(L, "ask", url, 20) && run_child(L, url, (enum ending)ending) && call(L, "hear", url, 20);
        fine = fine && call(L, "begin", url, 20) && run_child(L, url, (enum ending)ending) && call(L, "commit", url, 20);
        CHECK(fine, "a child by fork that ends by %s", ending_names[ending]);
        lua_close(L);
    }
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: %s <scenario.lua> <url> ...\n", argv[0]);
        return 2;
    }
    scenario = argv[1];
    for (int i = 2; i < argc; i++) {
        printf("# %.10s\n", argv[i]);
        test_side_by_side(argv[i]);
        test_threads(argv[i]);
        test_fork(argv[i]);
    }
    return check_done();
}
