/* What the files that read where tables share. */
#ifndef LIGA_LUA_WHERE_INTERNAL_H
#define LIGA_LUA_WHERE_INTERNAL_H

#include "lua/marker.h"
#include "lua/where.h"

enum { WHERE_DEPTH = 64, WHERE_NODES = 10000 };

/* A condition and its place among its likes: pairs has no order, equal queries give equal text. */
struct term {
    int64_t sort;
    const char *name;           /* of those with equal numbers, or NULL */
    const struct expr *expr;
};

/* Sets a UsageError at the reader's path, `detail` in place of the %s of `format`; returns NULL. */
void *where_fail(struct where_reader *reader, const char *format, const char *detail);
/* The value at `index` was refused: says where it stands, if the message does not; returns NULL. */
void *where_misfit(lua_State *L, struct where_reader *reader, int index);

/* One condition more, and one level deeper; false: too many or too deep (error set). The caller counts down the depth. */
bool where_descend(lua_State *L, struct where_reader *reader);

/* The terms ANDed, or ORed, in order. */
const struct expr *all_of(struct where_reader *reader, struct term *terms, int count);
const struct expr *one_of_terms(struct where_reader *reader, struct term *terms, int count);
int count_keys(lua_State *L, int index);
/* Pushes {[key] = value} of the key and value at -2 and -1. */
void push_single(lua_State *L);

/* ---- where_expression.c */

/* Pushes argument `at` (from 1) of the marker at `index`; its text. */
void push_argument(lua_State *L, int index, int at);
/* The condition of core.tuples at `index`; NULL: error set. */
const struct expr *read_tuples(lua_State *L, struct where_reader *reader, int index);
const char *read_marker_text(lua_State *L, struct where_reader *reader, int index);
/* Pushes what an Op.x(…) compares with: its operand, or the list of them. */
void push_operand(lua_State *L, const struct marker *marker, int index);

/* A value or an expression at `index` as an operand; `attr` gives the type, NULL: none. NULL: error set. */
struct expr *read_operand(lua_State *L, struct where_reader *reader, int index, const struct attr *attr);

/* ---- where_operand.c */

/* The expression without what follows it in a list, to stand in another one. */
struct expr *copy_of(struct where_reader *reader, const struct expr *expr);
/* left IS NULL, left IS NOT NULL */
const struct expr *null_test(struct where_reader *reader, enum op op, struct expr *left);
/* True for a table without other keys than integers. */
bool is_sequence(lua_State *L, int index);

/* The condition on one operand, by the value at `index` … */
typedef const struct expr *condition_reader(lua_State *L, struct where_reader *reader, struct expr *left, const struct attr *attr,
                                            int index);
condition_reader read_condition;
/* … for each element of a list (Op.and_, Op.or_ of one operand), or its negation (Op.not_). */
const struct expr *read_operand_group(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                      const struct attr *attr, int index, condition_reader *read);

/* `left op value`, for Op.any{…} and Op.all{…} as the value at `index`, or { [Op.any] = {…} }: for one of their elements, or for
 * each. */
typedef const struct expr *operator_reader(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                           const struct attr *attr, int index);
operator_reader apply_operator;      /* attr: the type that values take, or NULL */
operator_reader apply_json;          /* of a document (a column, or EXPR_JSON); attr does not matter */
bool op_of_list(lua_State *L, int index);
const struct expr *read_quantified(lua_State *L, struct where_reader *reader, const struct op_info *op, struct expr *left,
                                   const struct attr *attr, int index, operator_reader *apply);

/* ---- where_path.c */

/* The expression of the result's column of that name, where conditions may name one, unless it is an attribute's name; or NULL. */
const struct expr *find_alias(const struct where_reader *reader, const char *name);

/* An attribute, or a path into a document, of the table `alias` of the model; attr may be NULL. NULL: error set. */
struct expr *json_or_attr(struct where_reader *reader, const struct model *model, const char *name, int alias,
                          const struct attr **attr);

/* True for Op.some, Op.every, Op.none (marker may be NULL); the path of the association that the marker at stack index `at` names,
 * for the order of terms. */
bool is_rows_marker(const struct marker *marker);
const char *rows_name(lua_State *L, struct where_reader *reader, int at);
/* EXISTS over the rows that the marker at stack index `marker` names, with the where at `index` over them. NULL: error set. */
const struct expr *read_rows(lua_State *L, struct where_reader *reader, const struct op_info *op, int marker, int index);

/* ---- where_json.c */

/* True for the types whose attributes hold documents. */
bool is_json_attr(const struct attr *attr);

/* A condition on what the document `left` (a column, or EXPR_JSON) holds. */
condition_reader read_json_condition;

/* "meta.address.city", where meta is a JSON attribute: the path, *attr its attribute. NULL: it is none, or the error is set. */
struct expr *read_json_name(struct where_reader *reader, const char *name, const struct attr **attr);

/* liga.json("meta", leg, …) */
struct expr *read_json_marker(lua_State *L, struct where_reader *reader, int index, const struct marker *marker);

/* A path as a value of a result, … */
struct expr *json_value(struct where_reader *reader, struct expr *path);
/* … and what to order by instead of an expression: documents by what they are. */
const struct expr *json_order(struct where_reader *reader, const struct expr *expr);

#endif
