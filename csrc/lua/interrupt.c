#define _GNU_SOURCE                     /* ppoll */

#include "lua/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

/* A signal belongs to the process, and its handler gets nothing but a number: the one place of liga with static variables. They
 * are set only while a console listens. */
static volatile sig_atomic_t interrupted;
static volatile sig_atomic_t pending;       /* Lua code is to be stopped, and was not yet */
static struct db *volatile listening;       /* whose statements are stopped */
static lua_State *volatile running;         /* whose Lua code is stopped */
static struct sigaction before;

static void stop(lua_State *L, lua_Debug *debug) {
    (void)debug;
    lua_sethook(L, NULL, 0, 0);
    pending = 0;
    luaL_error(L, "interrupted");
}

/* The hook of coroutines: a signal can't tell which one runs, so each looks now and then whether it is to stop. Once: what the
 * error makes run is left alone, and whoever resumed it is stopped by the hook above. */
static void stop_if_pending(lua_State *L, lua_Debug *debug) {
    (void)debug;
    if (!pending || !running) return;
    pending = 0;
    luaL_error(L, "interrupted");
}

/* Stops the statement that runs; else the Lua code. Never both: what handles the statement's error must be left alone. */
static void on_signal(int number) {
    struct db *db = listening;
    bool stopped = false;
    (void)number;
    interrupted = 1;
    for (int i = 0; db && i < db->link_limit; i++) {
        struct link *link = &db->links[i];
        if (!link->conn || !link->user) continue;
        db->driver->interrupt(link->conn);
        stopped = true;
    }
    if (stopped || !running) return;
    pending = 1;
    lua_sethook(running, stop, LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT, 1);
}

void interrupt_forget(const struct db *db) {
    if (listening != db) return;
    sigaction(SIGINT, &before, NULL);
    listening = NULL;
}

/* core.listen(db): from now on SIGINT ends what runs, not the process; nil: as before. */
static int listen_to(lua_State *L) {
    struct db *db = lua_isnoneornil(L, 1) ? NULL : userdata_check(L, 1, USERDATA_DB, "a database");
    struct sigaction action = { .sa_handler = on_signal };
    if (db && !listening) {
        sigemptyset(&action.sa_mask);
        sigaction(SIGINT, &action, &before);
    } else if (!db && listening) {
        sigaction(SIGINT, &before, NULL);
    }
    listening = db;
    return 0;
}

/* core.interruptible(f, ...): like pcall; while it runs, SIGINT stops it. The database that is listened to stays alive, as the
 * caller has it. */
static int interruptible(lua_State *L) {
    lua_State *outer = running;
    running = L;
    interrupted = pending = 0;
    int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
    running = outer;
    lua_sethook(L, NULL, 0, 0);
    lua_pushboolean(L, status == LUA_OK);
    lua_insert(L, 1);
    return lua_gettop(L);
}

/* core.hold_interrupts(on): SIGINT waits, for code that must not be met by it (readline handles it in ways of its own, and then
 * frees what is freed). */
static int hold_interrupts(lua_State *L) {
    sigset_t interrupts;
    sigemptyset(&interrupts);
    sigaddset(&interrupts, SIGINT);
    sigprocmask(lua_toboolean(L, 1) ? SIG_BLOCK : SIG_UNBLOCK, &interrupts, NULL);
    return 0;
}

/* Instructions of a coroutine between two looks at the signal: a millisecond at most. */
enum { LOOK_EACH = 10000 };

/* core.watch(thread): SIGINT stops this coroutine too, and those that it makes. */
static int watch(lua_State *L) {
    lua_State *thread = lua_tothread(L, 1);
    luaL_argexpected(L, thread, 1, "coroutine");
    lua_sethook(thread, stop_if_pending, LUA_MASKCOUNT, LOOK_EACH);
    return 0;
}

/* core.await_input() → "input" when there is something to read on standard input, "interrupted" when SIGINT came first, also one
 * that was held, "signal" after any other. SIGINT is this function's own meanwhile, whoever listens to it else (readline does
 * while it reads a line); a terminal of another size has time until the next key. */
static int await_input(lua_State *L) {
    struct sigaction action = { .sa_handler = on_signal }, other;
    struct pollfd wanted = { .fd = STDIN_FILENO, .events = POLLIN };
    sigset_t mask;
    sigemptyset(&action.sa_mask);
    sigprocmask(SIG_BLOCK, NULL, &mask);
    sigdelset(&mask, SIGINT);
    sigaddset(&mask, SIGWINCH);
    interrupted = 0;
    sigaction(SIGINT, &action, &other);
    int found = ppoll(&wanted, 1, NULL, &mask);
    sigaction(SIGINT, &other, NULL);
    lua_pushstring(L, interrupted ? "interrupted" : found < 0 ? "signal" : "input");
    return 1;
}

/* core.was_interrupted() → whether SIGINT came since the last of the two above began. */
static int was_interrupted(lua_State *L) {
    lua_pushboolean(L, interrupted);
    return 1;
}

void open_interrupt(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "listen", listen_to }, { "interruptible", interruptible }, { "await_input", await_input },
        { "hold_interrupts", hold_interrupts }, { "watch", watch },
        { "was_interrupted", was_interrupted }, { NULL, NULL },
    };
    add_functions(L, functions);
}
