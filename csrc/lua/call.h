/* The call box: everything one API call allocates hangs on it, so any longjmp, anywhere, leaks nothing.
 *
 * A call is opened, its job is prepared (options read, statements planned), then driven: by C to its end when nobody has to be
 * called, else step by step by operation.lua, which calls loggers and waits. A job never calls Lua. */
#ifndef LIGA_LUA_CALL_H
#define LIGA_LUA_CALL_H

#include "lua/state.h"
#include "load/plan.h"

struct fault;

enum stage { STAGE_BEGIN, STAGE_PATH, STAGE_BODY, STAGE_PATH_BACK, STAGE_COMMIT, STAGE_ROLLBACK, STAGE_OVER };
enum step { STEP_DONE, STEP_WAIT, STEP_EVENT, STEP_QUERY, STEP_OPENING, STEP_OPENED, STEP_CLOSED };
/* What the Lua side was told of the connection that the call opens. */
enum opening { OPENING_UNTOLD, OPENING_ASKED, OPENING_TOLD };

struct flight;

/* A call that waits for a connection, or for its turn in a transaction: since when, behind whom. */
struct queued {
    struct call *next;
    bool waits;
    int64_t deadline;                   /* ms of the monotonic clock; 0: none */
    int pauses;                         /* so far; they get longer */
};

struct call {
    struct arena arena;
    struct error error;
    lua_State *L;                       /* of the C function that runs now */
    int self;                           /* stack index of the box in it */
    struct db *db;
    struct link *link;                  /* held while the job runs */
    struct lease *lease;                /* the transaction it belongs to, or NULL */
    const struct model *model;
    unsigned hung;                      /* values that hang on the box, a bit each */

    /* the job */
    bool (*next)(lua_State *L, struct call *call);      /* sets `statement`; false: no more (or error) */
    enum drive (*take)(lua_State *L, struct call *call);/* steps the cursor to its end, taking rows; NULL: skips them */
    int (*results)(lua_State *L, struct call *call);    /* pushes what the API call returns */
    struct effect {                     /* what its statement changes, for errors that don't say which key was broken */
        /* The value of an attribute in a row, counted from 0; NULL: none, or there is no such row. Itself NULL: that is not known. */
        const struct value *(*given)(const struct call *call, const struct attr *attr, int row);
        const struct model *written;    /* whose rows; NULL: the call's model's */
        bool removes;                   /* it may take away rows, or their keys, that others refer to */
    } effect;
    const struct attr *counted;         /* the only attribute that its statement adds to; NULL: none, or several */
    void (*forget)(lua_State *L, struct call *call);    /* the job failed: takes back what it put into instances; NULL: nothing */
    const struct statement *statement;  /* what `next` gives; a job of one statement has it beforehand */
    const struct statement *running;    /* while rows are taken, and in an event: the one that runs, or ran */
    struct cursor *cursor;
    struct flight *flights;             /* statements that were started, in order */
    bool ahead;                         /* `next` may be called again before the statement it just gave has run */
    int window;                         /* … once one is answered, and fewer than so many are on their way; 0: not before all are */
    int phase;                          /* for `next` to count its steps */
    enum stage stage;                   /* what is planned next */
    enum stage planned;                 /* what the statement planned last is for */
    bool aboard;                        /* has its connection, which is ready */
    bool atomic;                        /* several statements: BEGIN … COMMIT, or a savepoint */
    const char *search_path;            /* to look tables up in, for this call only; NULL: the connection's */
    const char *path_before;            /* what it was in the open transaction */
    bool snapshot;                      /* several reads of one moment: outside of a transaction in one of their own */
    bool locks;                         /* … which lock rows */
    bool writes;                        /* takes SQLite's write lock */
    bool control;                       /* its statement is a transaction command of the user's own transaction */
    bool moved;                         /* its connection was lost; its statement is to be started again */
    bool primary;                       /* must not be read from a replica */
    bool sited;                         /* has chosen `site` */
    int site;
    bool unleased;                      /* wants a connection of its own */
    bool unguarded;                     /* a user's own statement, or a command: no savepoint around it */
    bool guarded;                       /* atomic only as the engine's transaction must survive its error */
    bool begun, undone, driven;
    bool kept;                          /* a statement before the one that runs has written, and stands by itself */
    bool yields;                        /* somebody else waits for us (the connection's `wait`) */
    enum opening opening;
    bool boarded;                       /* the Lua side was told of connections that were closed before this call sends anything */
    const struct statement *announced;  /* the next one, which hooks have seen or are about to see; NULL: not planned yet */
    bool taken;                         /* a statement of the body has run */
    struct flight *again;               /* sent once more after their bracket was undone: the server had lost one (or its plan) */
    bool repeated;
    bool failing;                       /* a statement failed; those behind it are dropped */
    struct queued queued;
    int savepoint;
    long long started;                  /* ns, of the statement that runs */
    int64_t affected, last_id, rows;
    bool failed_logged, explained;      /* the error was shown to the logger; was put into words */

    struct fault *faults;               /* of validation, raised together */
    bool expressions;                   /* a row holds fn, literal …: the database computes the value */
    struct growth {                     /* of the heap by the rows of the call: see lua/collector.h */
        int told;                       /* times */
        int heap;                       /* what it was when it was told last, in KB */
    } growth;
    char now[32];                       /* the clock reading of this call, "": not read yet */

    struct plan *plan;
    struct hydration *hydration;
    void *data;                         /* of the verb: writes, access, raw queries */
};

/* What hangs on the box. */
enum call_value { CALL_DB = 1, CALL_RESULT, CALL_AUX, CALL_LOGGER, CALL_KEEP, CALL_VALUES = CALL_KEEP };

/* Opens a call on a database (index of its userdata on the stack); leaves the box on the top of the stack.
 * Raises UsageError if the database is closed or belongs to another process. */
struct call *call_open(lua_State *L, struct db *db, int db_index);
/* The same for a model; `box` from check_class. */
struct call *call_open_model(lua_State *L, struct model_box *box, int class_index);
/* The same for the class at `class_index`, which is checked. */
struct call *call_open_class(lua_State *L, int class_index);

/* Runs the job (see above) and returns the number of results; to be used as `return call_run(L, call);`. */
int call_run(lua_State *L, struct call *call);

/* Lets go of the statements that were started; on a server one that is not answered costs the connection. */
void call_drop_flights(struct call *call);

/* Lets go of statements and connection; safe to call twice, and from the collector. */
void call_release(struct call *call);

/* Ends a call whose job was never run, or has run. */
void call_close(lua_State *L, struct call *call);

/* Raises call->error as an error object, after closing the box; does not return. */
int call_raise(lua_State *L, struct call *call);
/* Sets an error (first one stays) and raises it. */
int call_fail(lua_State *L, struct call *call, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Asks the driver for the next row of the statement that runs. */
static inline enum drive call_step(struct call *call) {
    struct conn *conn = call->link->conn;
    return conn->driver->step(conn, call->cursor, &call->arena, &call->error);
}

/* Has the late cells of the row read. False: the error is set. */
static inline bool call_read_late(struct call *call) {
    struct conn *conn = call->link->conn;
    return conn->driver->read_late(conn, call->cursor, &call->arena, &call->error);
}

/* Pushes the userdata of the call's model and the list of its names; returns the index of the former. */
int push_model_names(lua_State *L, struct call *call);

/* Values of the box on and off the stack. */
static inline void push_call_value(lua_State *L, const struct call *call, enum call_value value) {
    lua_getiuservalue(L, call->self, value);
}
static inline void set_call_value(lua_State *L, struct call *call, enum call_value value) {
    call->hung |= 1u << value;
    lua_setiuservalue(L, call->self, value);
}

/* Pushes the table that hangs there, made if there was none. */
void push_call_table(lua_State *L, struct call *call, enum call_value value);

/* Takes the options that every API call has (transaction, logging); true if the key was one. Key at -2, value at -1. */
bool read_call_option(lua_State *L, struct call *call, const char *key);

/* What to add to the message about an option that nobody has: " (did you mean …?)" or nothing. The options of every call are
 * offered beside those that were. */
const char *option_hint(struct call *call, struct nearest *nearest);

/* Parameters that a statement of the call may have. */
int most_params(const struct call *call);

/* Gives boxes their methods: step, results, logger, and the metamethods that clean up. */
int open_calls(lua_State *L);

#endif
