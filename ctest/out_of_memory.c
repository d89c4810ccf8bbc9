/* A host that runs out of memory: runs a scenario again and again in a fresh Lua state, each time with another
 * allocation of Lua's or SQLite's failing, and looks what is left.
 *
 *     out_of_memory <scenario.lua> <points>
 *
 * The scenario is a table of functions: prepare (with enough memory), run (while memory is short), probe (with enough
 * memory again, in the same state). Three ways to fail, each at `points` places spread over the scenario (0: at every
 * one):
 *
 *     once    the n-th allocation fails; Lua collects garbage and asks again, SQLite does not
 *     twice   that second request fails too: the caller sees "not enough memory"
 *     from    nothing can be allocated any more
 *
 * Afterwards the probe must work, and closing the state must give everything back: Lua's memory, SQLite's, and (in a
 * build with AddressSanitizer) what the modules took from malloc. */
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
enum source { LUA, SQLITE, SOURCES };

static const char *const way_names[WAYS] = { "once", "twice", "from then on" };
static const char *const source_names[SOURCES] = { "Lua", "SQLite" };

/* ------------------------------------------------------------------------------------------------------ memory */

static struct {
    bool armed;
    enum source source;         /* whose requests fail */
    enum way way;
    long count[SOURCES], point; /* requests so far, and the one that fails; 0: none does */
    long long live;             /* bytes of Lua */
} memory;

static bool fails_now(enum source source) {
    if (!memory.armed) return false;
    long request = ++memory.count[source];
    if (source != memory.source || !memory.point) return false;
    switch (memory.way) {
    case ONCE:  return request == memory.point;
    case TWICE: return request == memory.point || request == memory.point + 1;
    default:    return request >= memory.point;
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
    if (new_size > held && fails_now(LUA)) return NULL;
    void *fresh = realloc(block, new_size);
    if (fresh) memory.live += (long long)new_size - (long long)held;
    return fresh;
}

static sqlite3_mem_methods sqlite_own;

static void *sqlite_allocate(int size) {
    return fails_now(SQLITE) ? NULL : sqlite_own.xMalloc(size);
}

static void *sqlite_reallocate(void *block, int size) {
    return fails_now(SQLITE) ? NULL : sqlite_own.xRealloc(block, size);
}

static void watch_sqlite(void) {
    sqlite3_config(SQLITE_CONFIG_GETMALLOC, &sqlite_own);
    sqlite3_mem_methods watched = sqlite_own;
    watched.xMalloc = sqlite_allocate;
    watched.xRealloc = sqlite_reallocate;
    sqlite3_config(SQLITE_CONFIG_MALLOC, &watched);
}

/* ---------------------------------------------------------------------------------------------------- scenario */

struct failure {
    enum source source;
    enum way way;
    long point;             /* 0: nothing fails */
};

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

/* The requests are counted, also where nothing fails. */
static void run_scenario(lua_State *L, struct failure failure, struct outcome *outcome) {
    char message[256] = "";
    if (call(L, "prepare", message, sizeof message)) complain(outcome, "prepare", message);
    lua_gc(L, LUA_GCCOLLECT);
    memory.source = failure.source;
    memory.way = failure.way;
    memory.point = failure.point;
    memset(memory.count, 0, sizeof memory.count);
    memory.armed = true;
    outcome->status = call(L, "run", outcome->message, sizeof outcome->message);
    memory.armed = false;
    lua_settop(L, 1);
    if (call(L, "probe", message, sizeof message)) complain(outcome, "afterwards", message);
}

static void run_state(const char *file, struct failure failure, struct outcome *outcome) {
    lua_State *L = lua_newstate(allocate, NULL);
    lua_pushcfunction(L, load_scenario);
    lua_pushstring(L, file);
    if (lua_pcall(L, 1, 1, 0)) complain(outcome, "loading", lua_tostring(L, -1));
    else run_scenario(L, failure, outcome);
    lua_close(L);
}

/* A fresh state, run and closed; nothing may be left of it. */
static struct outcome run_point(const char *file, struct failure failure) {
    struct outcome outcome = { 0 };
    char bytes[32];
    size_t before = heap_size();
    sqlite3_int64 sqlite_before = sqlite3_memory_used();
    memory.live = 0;
    run_state(file, failure, &outcome);
    snprintf(bytes, sizeof bytes, "%lld bytes", memory.live);
    if (memory.live) complain(&outcome, "left of Lua", bytes);
    snprintf(bytes, sizeof bytes, "%lld bytes", (long long)(sqlite3_memory_used() - sqlite_before));
    if (sqlite3_memory_used() != sqlite_before) complain(&outcome, "left of SQLite", bytes);
    snprintf(bytes, sizeof bytes, "%lld bytes", (long long)heap_size() - (long long)before);
    if (heap_size() != before) complain(&outcome, "left on the heap", bytes);
    return outcome;
}

/* ------------------------------------------------------------------------------------------------------ points */

enum { NOTES = 8, NOTE_SIZE = 640 };

struct tally {
    long points, bad, out_of_memory, recovered, other;
    char notes[NOTES][NOTE_SIZE];       /* about the first bad ones, else about other ones */
};

static void note(struct tally *tally, long number, long point, const struct outcome *outcome) {
    if (number >= NOTES) return;
    snprintf(tally->notes[number], NOTE_SIZE, "allocation %ld: %s (raised: %s)", point, outcome->fault,
             outcome->message);
}

/* Anything but success or a plain "not enough memory" is worth a look, though not wrong by itself. */
static void add_to(struct tally *tally, const struct outcome *outcome, long point) {
    tally->points++;
    if (outcome->fault[0]) note(tally, tally->bad++, point, outcome);
    else if (outcome->status == LUA_OK) tally->recovered++;
    else if (strstr(outcome->message, "not enough memory") || strstr(outcome->message, "out of memory"))
        tally->out_of_memory++;
    else note(tally, tally->bad + tally->other++, point, outcome);
}

static void run_points(const char *file, struct failure failure, long requests, long points) {
    static struct tally tally;
    tally = (struct tally){ 0 };
    double step = points > 0 && points < requests ? (double)requests / (double)points : 1;
    for (double at = 1 + (double)failure.way * step / WAYS; at <= (double)requests; at += step) {
        failure.point = (long)at;
        struct outcome outcome = run_point(file, failure);
        add_to(&tally, &outcome, failure.point);
    }
    CHECK(tally.bad == 0 && tally.points > 0,
          "%s's memory fails %s: %ld of %ld requests, %ld errors, %ld went well, %ld other",
          source_names[failure.source], way_names[failure.way], tally.points, requests, tally.out_of_memory,
          tally.recovered, tally.other);
    for (int i = 0; i < NOTES && tally.notes[i][0]; i++) printf("# %s\n", tally.notes[i]);
}

/* After a run that counted the requests. */
static void run_all(const char *file, long points) {
    long requests[SOURCES] = { memory.count[LUA], memory.count[SQLITE] };
    for (int source = LUA; source < SOURCES; source++)
        for (int way = ONCE; way < WAYS; way++)
            run_points(file, (struct failure){ .source = (enum source)source, .way = (enum way)way }, requests[source],
                       points);
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s <scenario.lua> <points>\n", argv[0]);
        return 2;
    }
    watch_sqlite();
    run_point(argv[1], (struct failure){ 0 });      /* the C library keeps some memory for itself */
    struct outcome outcome = run_point(argv[1], (struct failure){ 0 });
    if (!CHECK(outcome.status == LUA_OK && !outcome.fault[0], "the scenario with enough memory"))
        printf("# %s %s\n", outcome.message, outcome.fault);
    else
        run_all(argv[1], atol(argv[2]));
    return check_done();
}
