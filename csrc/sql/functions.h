/* SQL functions whose result is of a type that liga knows by the column in them. */
#ifndef LIGA_SQL_FUNCTIONS_H
#define LIGA_SQL_FUNCTIONS_H

struct arena;
struct attr;
struct dialect;
struct expr;

/* The attribute as whose values the arguments of a call of this name are read that stand behind the first one; NULL: each says by
 * itself what it is. */
const struct attr *function_argument_attr(struct arena *arena, const struct dialect *dialect, const char *name,
                                          const struct expr *first);

/* Completes a call (EXPR_FUNCTION with its arguments): `attr` becomes that as which its result compares and is read (NULL: nothing
 * is known of it), and sums and averages of DECIMALs exact ones. */
void function_complete(struct arena *arena, const struct dialect *dialect, struct expr *call);

#endif
