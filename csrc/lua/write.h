/* create, save, bulk writes: values are checked all together before any SQL, then written in as few statements as can be. */
#ifndef LIGA_LUA_WRITE_H
#define LIGA_LUA_WRITE_H

#include "lua/fault.h"
#include "lua/find.h"
#include "lua/instance.h"

struct write_options {
    bool silent, all, no_validate, returning, truncate, force;
    bool with_deleted;              /* paranoid = false */
    const bool *returned;           /* by ordinal: what `returning` lists; NULL: all attributes */
    int64_t limit;                  /* -1: none */
    const bool *fields;             /* by ordinal; NULL: no `fields` given */
    enum conflict conflict;         /* ignoreDuplicates, updateOnDuplicate */
    struct attr_list conflict_fields;       /* may be empty */
    const struct expr *conflict_where;      /* of a partial unique index, or NULL */
    const bool *updated;            /* by ordinal: updateOnDuplicate */
    const struct expr *where;       /* NULL: no effective condition */
    struct select *named;           /* … that looks at associated rows: over the table t0 of this select, with its joins; or NULL */
    bool where_given;
    bool by_given;                  /* increment: its value is read from the options table */
};

/* Which options a call takes. */
enum write_option_set {
    WRITE_ROW = 1,                  /* create, save: fields, validate, silent … */
    WRITE_WHERE = 2,                /* update, destroy …: where, all, limit */
    WRITE_BULK = 4,                 /* bulkCreate */
    WRITE_COUNTER = 8,              /* increment: by */
    WRITE_DESTROY = 16,
    WRITE_LINK = 32,                /* accessors: through, destroy … are read by them */
    WRITE_BUILD = 64,
    WRITE_CREATE = 128,             /* create and no save: ignoreDuplicates */
    WRITE_UPSERT = 256,             /* conflictFields, conflictWhere without the others */
    WRITE_TRUNCATE = 512,           /* destroy of a model */
    WRITE_RESTORE = 1024,
    WRITE_REMOVAL = 2048            /* destroy = {…} of a generated method */
};

/* The condition of the where table at `index`, over the call's model; NULL where nothing in it restricts the rows, or an error is
 * set. *named: as in write_options. */
const struct expr *read_named_rows(lua_State *L, struct call *call, int index, struct select **named);

/* Reads the options table at `index` (nil: none). False: error set. */
bool read_write_options(lua_State *L, struct call *call, int index, int sets, struct write_options *options);

/* Whether the options table at `index` has dependent = false: the rules for dependents are left out. */
bool skips_dependents(lua_State *L, int index);

/* Pushes the names of the options of some sets: name → true. */
void push_write_option_names(lua_State *L, int sets);

/* The clock reading of this call, one for all rows, in logical form. */
struct value call_now(struct call *call);

/* A row on its way into the database. */
struct row {
    struct value *values;           /* logical, by ordinal */
    bool *present;                  /* by ordinal: a column of the INSERT */
    bool *taken;                    /* by ordinal: read already */
    const struct name_index *names;
    int others;                     /* keys of the table that is read which are no attributes */
    bool keep;                      /* texts are copied, else they live in the instance */
    bool copies;                    /* values go from one table to another */
    struct rowset *rowset;          /* where originals are kept while values are read; NULL: nowhere yet */
    int number, texts;              /* … in which of its rows; stack index of its texts */
};

/* A row for the attributes whose names are in the list at stack index `names`. */
struct row *row_new(lua_State *L, struct call *call, int names, bool keep);

/* A generated key, or a value the database makes by itself, may be absent. */
static inline bool may_be_absent(const struct attr *attr) {
    return attr->auto_increment || attr->default_kind == DEFAULT_SQL || attr->type.id == TYPE_VIRTUAL;
}

/* Pushes a new unsaved instance with the values of the table at `index`, not checked yet. False: error set, nothing
 * pushed. */
bool build_instance(lua_State *L, struct call *call, int model_index, int index);

/* Every key of a built instance must be an attribute, junction values, or begin with _. */
bool check_built(lua_State *L, struct call *call, int index);

/* Takes out of a row that is created what `fields` does not list. */
void drop_unlisted(lua_State *L, struct call *call, int index, const struct write_options *options);

/* build_instance and prepare_row in one pass over a plain table of values; the metatable comes with adopt_row. */
bool build_row(lua_State *L, struct call *call, int from, int names, const struct write_options *options, struct row *row);

/* Fills defaults and timestamps in, reads and checks every value into `row` and leaves it in canonical form in the instance. `names`:
 * stack index of push_attr_names. False: error set (faults are raised by no_faults). */
bool prepare_row(lua_State *L, struct call *call, int index, int names, const struct write_options *options, struct row *row);

/* Which timestamps the call gave to a row that was prepared; to be kept, as preparing the same instance again finds them there. */
struct stamps { bool created, updated; };
struct stamps stamps_given(const struct call *call, const struct row *row);

/* Takes them out of the instance at `index`, which was not stored: the next save reads the clock itself. */
void forget_stamps(lua_State *L, const struct model *model, int index, struct stamps stamps);

/* What an absent attribute becomes: its default, or the clock for timestamps. False: nothing. */
bool default_of(struct call *call, const struct attr *attr, struct value *value);

/* The defaults that a built instance shows before it is saved: constants and UUIDs. */
void fill_visible_defaults(lua_State *L, struct call *call, int index);

/* The INSERT of the prepared instance at `index`, and its statement, whose text is kept in `cached` (of the model, or of an
 * association whose INSERTs say more; NULL: nowhere). */
struct insert *plan_insert(lua_State *L, struct call *call, int index, const struct row *row);
void return_attr(struct call *call, struct insert *insert, const struct attr *attr);      /* adds it to RETURNING */
const struct statement *insert_statement(struct call *call, const struct insert *insert, struct cached_write *cached);

/* After the INSERT: makes the instance at `index` a stored one. `generated`: the key that the database made, if it did. */
void adopt_row(lua_State *L, struct call *call, int index, int64_t generated, const struct row *row);

/* Every key of the instance must be an attribute (`names`: their list), an alias of its query, junction values, or begin with _. */
bool check_foreign_key_name(lua_State *L, struct call *call, int index, int rowset_index);     /* of one other, below its value */
bool check_instance_keys(lua_State *L, struct call *call, int index, int names, int rowset_index);

/* Adds a fault if the attribute must have a value: for one that is NULL. */
void check_null(struct call *call, const struct attr *attr, const struct write_options *options);

/* Reads a value to be written (dates are cut to milliseconds); false: a fault was added or the error is set. */
bool read_written_value(lua_State *L, struct call *call, int index, const struct attr *attr, struct value *value);

/* Keeps what the instance holds as the originals of a row. */
void keep_originals(lua_State *L, struct call *call, struct rowset *rowset, int row, int index, int names, int texts,
                    const bool *written);

/* Adds core.save, core.create … to the table on the top. */
void open_writes(lua_State *L);

#endif
