/* Texts of statements that are kept with a model. */
#ifndef LIGA_LUA_KEPT_TEXT_H
#define LIGA_LUA_KEPT_TEXT_H

#include "lua/call.h"

/* The statement of a kept text with these parameters, which the caller keeps until it is sent; NULL: there is no text, or the model
 * has changed since. */
const struct statement *kept_statement(struct call *call, const struct kept_text *kept, const struct model *model,
                                       const struct value *params, int count, enum statement_kind kind);

/* Keeps the text of a statement from now on. False: too many were kept before, as definitions that keep changing leave theirs behind
 * in the schema's arena. */
bool keep_text(struct call *call, struct kept_text *kept, const struct model *model, const struct statement *statement);

/* The same for writes of some columns, a bit by ordinal; 0: they are of another kind, and not kept. */
const struct statement *kept_write(struct call *call, const struct cached_write *cached, const struct model *model, uint64_t columns,
                                   const struct value *params, int count);
void keep_write(struct call *call, struct cached_write *cached, const struct model *model, uint64_t columns,
                const struct statement *statement);

#endif
