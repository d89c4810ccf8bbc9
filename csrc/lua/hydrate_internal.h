/* What the files that hydrate share: the state of a load tree while its rows come in. */
#ifndef LIGA_LUA_HYDRATE_INTERNAL_H
#define LIGA_LUA_HYDRATE_INTERNAL_H

#include "load/keys.h"
#include "lua/hydrate.h"

/* Where it is written down that an association is loaded: a table for each chunk. That of the chunk written to last is at hand, as
 * parents come one after the other. */
struct noted {
    const struct rowset *rowset;    /* of that chunk, NULL: none yet */
    int place;                      /* stack index of its userdata; the table follows */
};

/* An instance that something is loaded for. */
struct owner {
    int table;                      /* its stack index */
    const struct rowset *rowset;    /* NULL: a raw row, of which nothing is remembered */
    int row;
};

/* What an instance gets. */
struct belonging {
    const char *property;
    const struct assoc *assoc;      /* that is loaded with it, or NULL */
    int include;                    /* place of the options it is loaded with, 0: none */
    struct noted *noted;            /* of the association */
};

/* The instances of one node while rows come in. */
struct node_state {
    struct rowset *rowset;      /* of the chunk being filled; NULL: raw, or none yet */
    int metatable;              /* stack index of its metatable, 0: none */
    int texts;                  /* stack index of its texts */
    int model;                  /* stack index of the model userdata, 0: raw */
    int cohort;                 /* stack index of the table of all its chunks, once it has one of its own (nil: not yet) */
    int cohort_rows;            /* that they have room for */
    int first;                  /* first row in the chunk it shares with others, or ROW_ALONE */
    int built;                  /* rows so far */
    int row;                    /* of the instance being built, -1: none in this row */
    int table;                  /* stack index of that instance (nil: none) */
    int stock;                  /* stack index of the list of tables that were made beforehand (nil: none yet) */
    int ready;                  /* … which are still empty: the first so many */
    int unstocked;              /* tables made one by one since the frame was pushed */
    int instances;              /* stack index of the list of all instances, by number of their key; 0: not needed */
    int number;                 /* of its key, -1: it has none */
    bool fresh;                 /* it was built from this row */
    struct key_table pairs;     /* (parent, instance) of those that hang in lists */
    struct key_table keys;      /* of the instances */
    struct noted noted;         /* that they are loaded */
};

struct parent {
    int next;                   /* the next one of equal key, -1: none */
    int row;
    const struct rowset *rowset;    /* NULL: a raw row, or one that gets nothing set */
    lua_Integer children;       /* taken so far */
};

/* The parents of a step, by their keys. */
struct family {
    struct key_table keys;
    struct parent *parents;
    int count, size;            /* of them; room for them */
    int *first, *last;          /* by key: parents */
    int64_t *seen;              /* by key: rows, those that are cut off too */
    int key_size;
    int sent;                   /* keys that were asked for */
    int begun;                  /* the parent whose list was begun last, from 1; 0: none */
};

/* One statement's plan, whatever the number of times it is sent. */
struct run {
    struct plan *plan;
    struct plan_step *step;     /* NULL: the root */
    struct node_state *states;
    struct family family;       /* of the step */
    struct key_table pairs;     /* (key of the parents, instance), where the plan has a fan */
    struct noted noted;         /* that the step is done for a parent */
    int slots;                  /* stack index of the step's parents, by number from 1; to-many: their lists */
    int children;               /* stack index of the first child step's slots; the others follow */
    struct run *below;          /* of the plan's steps */
    int below_count;
    const struct plan_node *late;   /* whose cells are read only for rows that are not known yet; NULL: none's */
    bool detached;              /* values are kept in the slots and set nowhere */
    int flights;                /* statements that were sent and have not ended */
};

/* A statement on its way, and whose it is. */
struct sent {
    struct sent *next;
    const struct statement *statement;
    struct run *run;
};

struct hydration {
    struct run root, *run;      /* whose rows are taken */
    struct sent *sent;
    const struct select *first; /* sent before all others; NULL: nothing is, or it was sent */
    enum drive (*take_first)(lua_State *L, struct call *call);
    struct run **queue;         /* steps whose parents are known */
    int queued, taken;
    bool started, detached;
    lua_Integer count;          /* roots so far */
    char scratch[TYPE_SCRATCH];
};

/* ---- hydrate.c */

/* The key of the cursor's row in these columns, in logical form; false: a part of it is NULL. */
bool read_key(struct call *call, const int *columns, int count, struct value *key);

/* Gives the owner the value on the top (nil: no row), which stays there, and remembers that it is loaded. */
void set_property(lua_State *L, struct call *call, const struct owner *owner, const struct belonging *belonging);

/* Pushes room for what `noted` has at hand: four values, which stay as long as it is in use. */
void push_noted(lua_State *L, struct noted *noted);

/* Takes the cursor's row and those after it for hydration->run, `drive` being what the driver said of it. Returns what the driver
 * said last, or DRIVE_FAILED with the error set. */
enum drive take_rows(lua_State *L, struct call *call, enum drive drive);

/* ---- hydrate_chunks.c */

/* What has to outlast a wait for the server hangs on the box (CALL_AUX): by step the slots, by node (below zero) what belongs to it.
 * Pushes the table of that place, made if need be. */
void push_aux(lua_State *L, struct call *call, lua_Integer place);

/* What belongs to a node: its instances, its cohort; of a run's first one the chunks in use of all nodes. */
enum node_part { NODE_INSTANCES, NODE_CHUNKS, NODE_COHORT, NODE_PARTS };
void push_node_table(lua_State *L, struct call *call, const struct run *run, int n, enum node_part part);

/* True if the result has one row only. */
static inline bool is_single(const struct plan *plan) {
    return plan->one && !plan->fan;
}

/* The next rows of the node go into a chunk with room: the one that its model shares, or one of its own. */
void use_new_chunk(lua_State *L, struct call *call, const struct plan *plan, struct node_state *state);

/* A list has ended: the chunks of the next ones are made as long as lists were lately, so that most take what was freed before. */
void note_length(lua_State *L, const struct node_state *state);

/* The chunks of all nodes are kept while the call waits, and filled on behind that. */
void put_chunks_down(lua_State *L, struct call *call, struct run *run);
void take_chunks_up(lua_State *L, struct call *call, struct run *run);

/* ---- lookup.c */

/* The statement of a select; NULL: the call's error is set. */
const struct statement *select_statement(struct call *call, const struct select *select);

/* ---- hydrate_steps.c */

/* The instance of a node, which was just built, becomes a parent of the step: number + 1 in the table at `slots`. */
void adopt_parent(lua_State *L, struct call *call, struct run *below, int slots, const struct node_state *state);

/* Whose row it is: the number of the parents' key; -1: nobody's, or it is cut off. */
int key_of_row(struct call *call, struct run *run);

/* The instance at `child` belongs to the run's parent of this number. */
void append_child(lua_State *L, struct call *call, struct run *run, int number, int child);

#endif
