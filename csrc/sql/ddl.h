/* Model → statements that make and drop its table and indexes. */
#ifndef LIGA_SQL_DDL_H
#define LIGA_SQL_DDL_H

#include "sql/render.h"

/* CREATE TABLE, IF NOT EXISTS if asked for; the keys in `late` (may be NULL) are left out. These three give NULL with the error
 * set, e.g. where the dialect has no such type. */
struct statement *ddl_create_table(struct arena *, const struct dialect *, const struct model *, bool if_not_exists,
                                   const struct foreign_key *const *late, int late_count, struct error *);
struct statement *ddl_drop_table(struct arena *, const struct dialect *, const struct model *, struct error *);
struct statement *ddl_create_index(struct arena *, const struct dialect *, const struct model *, const struct index *,
                                   struct error *);

/* A constraint of its own, for tables that refer to each other in a circle, where the dialect can't refer to a table to come. */
struct statement *ddl_add_foreign_key(struct arena *, const struct dialect *, const struct model *, const struct foreign_key *,
                                      struct error *);
struct statement *ddl_drop_foreign_key(struct arena *, const struct dialect *, const struct model *, const struct foreign_key *,
                                       struct error *);

/* table_column_fkey, as PostgreSQL would call it; a long one ends with a hash, so that it stays one of its own. */
const char *ddl_foreign_key_name(struct arena *, const struct model *, const struct foreign_key *);

/* What an attribute needs before its table is there, what is left of it afterwards, and what is said about it (attr NULL: about
 * the table); NULL: nothing, on this engine, or the error is set. A type that is there already is no error. */
struct statement *ddl_create_extension(struct arena *, const struct dialect *, const struct attr *, struct error *);
struct statement *ddl_create_enum(struct arena *, const struct dialect *, const struct attr *, struct error *);
struct statement *ddl_drop_enum(struct arena *, const struct dialect *, const struct attr *, struct error *);
struct statement *ddl_comment(struct arena *, const struct dialect *, const struct model *, const struct attr *, struct error *);

/* The parts of CREATE TABLE, for statements that change a table. NULL with the error set where the dialect has no such type;
 * ddl_default gives NULL without an error where the database has no default for the column. */
const char *ddl_column(struct arena *, const struct dialect *, const struct attr *, struct error *);
const char *ddl_default(struct arena *, const struct dialect *, const struct attr *, struct error *);
const char *ddl_foreign_key(struct arena *, const struct dialect *, const struct foreign_key *, struct error *);
const char *ddl_condition(struct arena *, const struct dialect *, const struct expr *, struct error *);
const char *ddl_table_name(struct arena *, const struct dialect *, const struct model *);

/* True where the definition of its column says PRIMARY KEY already. */
bool ddl_key_is_inline(const struct dialect *, const struct model *);

/* Empties the table; `restart`: generated keys begin anew; `cascade`: so are the tables that refer to it, where the dialect has a
 * word for that. */
struct statement *ddl_truncate(struct arena *, const struct dialect *, const struct model *, bool restart, bool cascade,
                               struct error *);
/* The same for the generated key of a table that was emptied; NULL where ddl_truncate has done it. */
struct statement *ddl_restart(struct arena *, const struct dialect *, const struct model *, struct error *);

/* "VARCHAR(40)": the column type in the dialect, or NULL where the dialect has none. */
const char *ddl_type(struct arena *, const struct dialect *, const struct type *);
/* The type of an array's elements: without length, precision and scale. */
const char *ddl_element_type(struct arena *arena, const struct dialect *dialect, const struct type *type);

#endif
