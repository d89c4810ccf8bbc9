/* What an INSERT does where a row with its key is there already: ignoreDuplicates, updateOnDuplicate, upsert. */
#ifndef LIGA_LUA_CONFLICT_H
#define LIGA_LUA_CONFLICT_H

#include "lua/write.h"

/* Marks (by ordinal) the attributes to which the table at `index` gives a value. A default that liga made up is nobody's choice
 * and does not count, nor does what may come from a default function where those were called already (`filled`). */
void note_given(lua_State *L, const struct call *call, int index, bool filled, bool *given);

/* The key by which rows are found again: the primary key if it is `given` in full, else the first unique key that is, else the
 * primary key. */
struct attr_list conflict_key(struct call *call, const bool *given);

/* Completes an INSERT by what the options say about duplicates and RETURNING. False: error set. */
bool plan_duplicates(struct call *call, const struct write_options *options, const bool *given, struct insert *insert);

/* The version of the row that stands in the way counts the update, unless that assigns it. */
void raise_version_of_standing(struct call *call, struct insert *insert);

/* RETURNING what `returning` asks for (all attributes where it lists none), beside what is there. */
void plan_read_back(struct call *call, const struct write_options *options, struct output **returning);

/* core.upsert */
int upsert(lua_State *L);

#endif
