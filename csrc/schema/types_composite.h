/* Types whose values are tables in Lua: arrays, ranges, hstores. Their logical form is a JSON text (a list; an object with lower,
 * upper, bounds or empty; an object of texts), what is stored is PostgreSQL's own text of them. */
#ifndef LIGA_SCHEMA_TYPES_COMPOSITE_H
#define LIGA_SCHEMA_TYPES_COMPOSITE_H

#include "schema/types.h"

/* As type_accept: a JSON text of what the user gave becomes the canonical one. */
bool array_accept(const struct type *type, struct value *value, struct arena *arena, struct error *error);
bool range_accept(const struct type *type, struct value *value, struct arena *arena, struct error *error);
bool hstore_accept(const struct type *type, struct value *value, struct arena *arena, struct error *error);

/* Cuts the instants in the JSON text of a list to milliseconds, in place; returns the new length. */
size_t array_cut_instants(char *text, size_t len);

/* Logical → stored. */
void array_store(const struct type *type, struct value *value, struct arena *arena);
void range_store(const struct type *type, struct value *value, struct arena *arena);
void hstore_store(const struct type *type, struct value *value, struct arena *arena);

/* Stored → logical; a text that is none of ours stays. */
void array_read(const struct type *type, struct value *cell, struct arena *arena);
void range_read(const struct type *type, struct value *cell, struct arena *arena);
void hstore_read(const struct type *type, struct value *cell, struct arena *arena);

#endif
