/* The generated methods: user:getPosts, addPost, setPosts … One closure per verb, with the association as upvalue 2. */
#ifndef LIGA_LUA_ACCESS_H
#define LIGA_LUA_ACCESS_H

#include "load/link.h"
#include "lua/write_job.h"

/* A target as it was handed over. */
struct element {
    bool raw;                       /* a primary key; else an instance */
    struct value *key;              /* values of element_attrs, logical */
    struct value *far;              /* the values the association's key refers to; NULL: to be read */
    bool missing;                   /* remove: its row does not exist */
    bool stays;                     /* remove: it is linked as before (outside of the association's scope or filter) */
};

struct access {
    const struct assoc *assoc;
    enum verb verb;
    struct write_options options;
    bool save, destroy;             /* setS{save=false}; remove{destroy}, set{destroyPrevious} */
    struct value *source;           /* values of hops[0].near */
    struct value *source_key;       /* primary key of the source (belongsTo writes) */
    bool *held;                     /* belongsTo writes: which of `source` are known to be stored */
    struct element *elements;       /* each target once; what was handed over for it has its place from 1 (push_handed) */
    int count, raw_count;
    int *again_of, again;           /* further instances of the same targets (places from -1 down): whose */
    bool listed;                    /* a list was handed over */
    bool plural;                    /* the list is the result */
    lua_Integer removed;            /* links taken away */
    int through;                    /* stack index of the `through` table, 0: none */
    int defaults;                   /* … of the list of what the junction's default functions gave, a table a row; 0: none */
    /* belongsToMany: junction rows to insert */
    struct junction_row *rows;
    bool updates;                   /* belongsTo: the source's row is written, and has to be there */
    bool created;                   /* createS: the target is made first; … */
    int64_t created_id;             /* … the key that the database made for it, where the driver tells */
    struct insert *insert;
    struct row *row;                /* … of this row */
    bool created_done;
};

static inline bool removes(const struct access *access) {
    return access->verb == VERB_REMOVE || access->verb == VERB_REMOVE_MULTIPLE;
}

static inline bool links(const struct access *access) {
    return access->verb == VERB_SET || access->verb == VERB_ADD || access->verb == VERB_ADD_MULTIPLE || access->verb == VERB_CREATE;
}

/* What the job's statements are about, in order; each verb uses some. */
enum access_phase { PHASE_READ, PHASE_UNLINK, PHASE_CHECK, PHASE_CREATE, PHASE_LOOK, PHASE_SCOPE, PHASE_LINK, PHASE_OVER };

/* Pushes the function of a verb of the association (userdata at assoc_index). */
void push_accessor(lua_State *L, int assoc_index, const struct verb_row *verb);

/* The same for the method itself, without the hooks and scopes of the models around it. */
void push_plain_accessor(lua_State *L, int assoc_index, const struct verb_row *verb);

/* A function of the module that gives it by name. */
int plain_accessor(lua_State *L);

/* Upvalue 2. */
struct assoc_box *access_assoc(lua_State *L);

/* Opens the call for the source instance at index 1; its own key values are read into access->source. */
struct call *access_open(lua_State *L, struct access **access, enum verb verb);

/* "addPosts": the method that runs. Belongs to the call. */
const char *method_of(struct call *call, const struct access *access);

/* Sets a UsageError that begins with the method's name; false. */
bool wrong_argument(struct call *call, const struct access *access, const char *sentence);

/* Reads the argument at index 2 into elements (single or list by the verb); unsaved targets are collected in the table pushed
 * on the stack, nil if there are none. False: error set. */
bool read_elements(lua_State *L, struct call *call, struct access *access, bool *unsaved);

/* What tells the association's targets apart: their primary key; what it refers to, where their model has none. */
struct attr_list element_attrs(const struct assoc *assoc);

/* False, with an InstanceError, if a value that the association refers to is NULL: that would link to nothing. */
bool check_far(struct call *call, const struct access *access, const struct value *far);

struct link_keys element_keys(struct call *call, const struct access *access);          /* by element_attrs */
struct link_keys raw_element_keys(struct call *call, const struct access *access);

/* The element with this primary key, or NULL. */
struct element *element_of_key(lua_State *L, struct call *call, const struct access *access, const struct value *key);

/* What the row of an instance held when it was last read or written (logical form), whatever has been assigned since. `known`:
 * not for attributes that were not selected. False: error set. */
bool read_originals(lua_State *L, struct call *call, int rowset_index, const struct instance *instance, struct attr_list attrs,
                    struct value *values, bool *known);

/* True if these are the originals of the instance at `index` (logical form). */
bool holds_values(lua_State *L, struct call *call, int index, struct attr_list attrs, const struct value *values);

/* updatedAt and version of a target whose row has changed, behind `count` other values: at most two. Returns the new count. */
int collect_stamps(lua_State *L, struct call *call, int index, const struct attr **attrs, struct value *values, int count);

/* Pushes what was handed over at a place. */
void push_handed(lua_State *L, const struct call *call, const struct access *access, int place);

/* Calls `adopt` with every instance that was handed over, at `index`. */
typedef void adopt_instance(lua_State *L, struct call *call, const struct access *access, const struct element *element, int index);
void adopt_handed(lua_State *L, struct call *call, adopt_instance *adopt);

/* Sets raw fields of an instance and their originals: what the database holds now. */
void set_stored(lua_State *L, struct call *call, int index, const struct attr *const *attrs, const struct value *values, int count);

/* instance:getX(options), :countX(options), :hasX(target or list, options); the verbs that write share access_write. They raise
 * UsageError for arguments and options, InstanceError for a source that is not stored or a key without a row. */
int access_get(lua_State *L);
int access_count(lua_State *L);
int access_has(lua_State *L, enum verb verb);

/* Raises UsageError unless the argument was given (nil is an argument). */
void check_arguments(lua_State *L, enum verb verb);
int access_write(lua_State *L, enum verb verb);

/* The writing rules by who holds the key. */
struct link_rule {
    bool (*plan)(lua_State *L, struct call *call);      /* checks, prepares; false: error set */
    bool (*next)(lua_State *L, struct call *call);
    enum drive (*take)(lua_State *L, struct call *call);
    void (*adopt)(lua_State *L, struct call *call);     /* brings the instances handed over up to date */
};
extern const struct link_rule link_by_source, link_by_target, link_by_through;

/* Whether the call deletes targets that hold the key: as wanted, or as it can't be NULL. */
bool deletes_targets(const struct access *access);

/* Fails with InstanceError: a target's row does not exist. */
bool missing_row(struct call *call);

/* Shared steps: a count of target rows with these keys; the INSERT of createS. */
const struct statement *count_keys_statement(struct call *call, struct link_keys keys);
/* Reads the new target of createS, which becomes the call's result; false: error set. Key and scope win over what was given: they
 * are set in the instance at an index. */
bool plan_create(lua_State *L, struct call *call, struct access *access);
void preset_all(lua_State *L, struct call *call, const struct access *access, int instance);
const struct statement *insert_created(lua_State *L, struct call *call);
void adopt_created(lua_State *L, struct call *call);
/* Once it has run: the new target is the only element, by the values that the association refers to. */
bool read_created_far(lua_State *L, struct call *call, struct access *access);
const struct statement *render_update_or_delete(struct call *call, const struct update *update, const struct delete *delete);

#endif
