/* A host that runs out of memory: runs a scenario again and again in a fresh Lua state, each time with another of Lua's allocations
 * failing, and looks what is left.
 *
 *     out_of_memory <scenario.lua> <points>
 *
 * The scenario is a table of functions: prepare (with enough memory), run (while memory is short), probe (with enough memory again,
 * in the same state). Three ways to fail, each at `points` places spread over the scenario (0: at every one):
 *
 *     once    the n-th allocation fails; Lua collects garbage and asks again
 *     twice   that second request fails too: the caller sees "not enough memory"
 *     from    nothing can be allocated any more
 *
 * Afterwards the probe must work, and closing the state must give everything back: Lua's memory, SQLite's, and (in a build with
 * AddressSanitizer) what the modules took from malloc. */
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef SANITIZED
size_t __sanitizer_get_current_allocated_bytes(void);      /* gcc has no header for it */
#define heap_size() __sanitizer_get_current_allocated_bytes()
#else
#define heap_size() ((size_t)0)
#endif

#include "check.h"

enum way { ONCE, TWICE, FROM, WAYS };

static const char *const way_names[WAYS] = { "once", "twice", "from" };

/* ------------------------------------------------------------------------------------------------------ memory */

static struct {
    bool armed;
    enum way way;
    long count, point;      /* requests so far, and the one that fails */
    long long live;         /* bytes */
} memory;

static bool fails_now(void) {
    if (!memory.armed) return false;
    long request = ++memory.count;
    switch (memory.way) {
    case ONCE:  return request == memory.point;
    case TWICE: return request == memory.point || request == memory.point + 1;
    default:    return memory.point > 0 && request >= memory.point;
    }
}

/* Lua counts on it that a block can always be made smaller. */
static void *allocate(void *unused, void *block, size_t old_size, size_t new_size) {
    (void)unused;
    size_t held = block ? old_size : 0;
    if (new_size == 0) {
        memory.live -= (long long)held;
        free(block);
        return NULL;
    }
    if (new_size > held && fails_now()) return NULL;
    void *fresh = realloc(block, new_size);
    if (fresh) memory.live += (long long)new_size - (long long)held;
    return fresh;
}

/* ---------------------------------------------------------------------------------------------------- scenario */

struct outcome {
    int status;             /* of the run, as lua_pcall gives it */
    char message[256];      /* what was raised */
    char fault[256];        /* what is wrong; empty: nothing */
};

static void complain(struct outcome *outcome, const char *what, const char *detail) {
    if (!outcome->fault[0]) snprintf(outcome->fault, sizeof outcome->fault, "%s: %s", what, detail);
}

/* In protected mode: (file name) → the scenario's table. */
static int load_scenario(lua_State *L) {
    luaL_openlibs(L);
    if (luaL_loadfile(L, lua_tostring(L, 1))) lua_error(L);
    lua_call(L, 0, 1);
    return 1;
}

/* Any error as text. */
static int describe(lua_State *L) {
    luaL_tolstring(L, 1, NULL);
    return 1;
}

/* Calls a function of the table at 1; what it raises is copied to `message`. */
static int call(lua_State *L, const char *name, char *message, size_t size) {
    lua_getfield(L, 1, name);
    int status = lua_pcall(L, 0, 0, 0);
    if (status == LUA_OK) return status;
    memory.armed = false;
    lua_pushcfunction(L, describe);
    lua_insert(L, -2);
    lua_pcall(L, 1, 1, 0);
    snprintf(message, size, "%s", lua_tostring(L, -1));
    return status;
}

/* With the point 0 nothing fails; the requests are counted. */
static void run_scenario(lua_State *L, enum way way, long point, struct outcome *outcome) {
    char message[256] = "";
    if (call(L, "prepare", message, sizeof message)) complain(outcome, "prepare", message);
    lua_gc(L, LUA_GCCOLLECT);
    memory.way = way;
    memory.point = point;
    memory.count = 0;
    memory.armed = true;
    outcome->status = call(L, "run", outcome->message, sizeof outcome->message);
    memory.armed = false;
    lua_settop(L, 1);
    if (call(L, "probe", message, sizeof message)) complain(outcome, "afterwards", message);
}

static void run_state(const char *file, enum way way, long point, struct outcome *outcome) {
    lua_State *L = lua_newstate(allocate, NULL);
    lua_pushcfunction(L, load_scenario);
    lua_pushstring(L, file);
    if (lua_pcall(L, 1, 1, 0)) complain(outcome, "loading", lua_tostring(L, -1));
    else run_scenario(L, way, point, outcome);
    lua_close(L);
}

/* A fresh state, run and closed; nothing may be left of it. */
static struct outcome run_point(const char *file, enum way way, long point) {
    struct outcome outcome = { 0 };
    char bytes[32];
    size_t before = heap_size();
    sqlite3_int64 sqlite_before = sqlite3_memory_used();
    memory.live = 0;
    run_state(file, way, point, &outcome);
    snprintf(bytes, sizeof bytes, "%lld bytes", memory.live);
    if (memory.live) complain(&outcome, "left of Lua", bytes);
    snprintf(bytes, sizeof bytes, "%lld bytes", (long long)(sqlite3_memory_used() - sqlite_before));
    if (sqlite3_memory_used() != sqlite_before) complain(&outcome, "left of SQLite", bytes);
    snprintf(bytes, sizeof bytes, "%lld bytes", (long long)heap_size() - (long long)before);
    if (heap_size() != before) complain(&outcome, "left on the heap", bytes);
    return outcome;
}

/* ------------------------------------------------------------------------------------------------------ points */

struct tally {
    long points, bad, out_of_memory, recovered, other;
};

/* Anything but success or a plain "not enough memory" is worth a look, though not wrong by itself. */
static void add_to(struct tally *tally, const struct outcome *outcome, long point) {
    tally->points++;
    if (outcome->fault[0]) {
        if (tally->bad++ < 5) printf("# allocation %ld: %s (raised: %s)\n", point, outcome->fault, outcome->message);
    } else if (outcome->status == LUA_OK) {
        tally->recovered++;
    } else if (strstr(outcome->message, "not enough memory") || strstr(outcome->message, "out of memory")) {
        tally->out_of_memory++;
    } else if (tally->other++ < 5) {
        printf("# allocation %ld raised: %s\n", point, outcome->message);
    }
}

static void run_way(const char *file, enum way way, long requests, long points) {
    struct tally tally = { 0 };
    double step = points > 0 && points < requests ? (double)requests / (double)points : 1;
    for (double at = 1 + (double)way * step / WAYS; at <= (double)requests; at += step) {
        struct outcome outcome = run_point(file, way, (long)at);
        add_to(&tally, &outcome, (long)at);
    }
    CHECK(tally.bad == 0 && tally.points > 0, "memory fails %s: %ld of %ld requests, %ld errors, %ld went well, %ld other",
          way_names[way], tally.points, requests, tally.out_of_memory, tally.recovered, tally.other);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s <scenario.lua> <points>\n", argv[0]);
        return 2;
    }
    struct outcome warm = run_point(argv[1], ONCE, 0);      /* the C library keeps some memory for itself */
    if (warm.status != LUA_OK) fprintf(stderr, "%s\n", warm.message);
    struct outcome outcome = run_point(argv[1], ONCE, 0);
    long requests = memory.count;
    if (!CHECK(outcome.status == LUA_OK && !outcome.fault[0], "the scenario with enough memory"))
        printf("# %s %s\n", outcome.message, outcome.fault);
    else
        for (int way = ONCE; way < WAYS; way++) run_way(argv[1], (enum way)way, requests, atol(argv[2]));
    return check_done();
}
