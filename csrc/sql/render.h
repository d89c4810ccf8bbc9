/* Tree → statement. Text and parameters come from the same walk, so they cannot disagree; generated text is never scanned
 * again. Errors are sticky in out->error and looked at once, by out_finish. */
#ifndef LIGA_SQL_RENDER_H
#define LIGA_SQL_RENDER_H

#include "base/buf.h"
#include "base/statement.h"
#include "sql/dialect.h"
#include "sql/query.h"

struct error;

struct placed_param;

struct out {
    struct buf buf;
    struct arena *arena;
    const struct dialect *dialect;
    struct error *error;
    struct value *params;
    int param_count, param_size;
    int here;                   /* the alias that ALIAS_HERE means */
    bool qualified;             /* columns carry their table's alias */
    bool regroups;              /* within a SELECT that groups: equal expressions have to be equal in their parameters, too */
    struct placed_param *placed;
    bool one_off;
    bool literals;              /* DDL takes no parameters: values are written out */
};

void out_init(struct out *out, struct arena *arena, const struct dialect *dialect, struct error *error);

/* The finished statement, or NULL if an error is set. */
struct statement *out_finish(struct out *out, enum statement_kind kind);

static inline void put_text(struct out *out, const char *text) {
    buf_adds(&out->buf, text);
}

void put_name(struct out *out, const char *name);       /* quoted, quotes doubled */
void put_table(struct out *out, const struct model *model);
void put_table_name(struct out *out, const char *schema, const char *table);
void put_param(struct out *out, struct value value);
void put_literal(struct out *out, struct value value);
void put_alias(struct out *out, int alias);
/* An array of stored values of an attribute as one parameter, with its type: $1::BIGINT[] */
void put_array(struct out *out, const struct attr *attr, const struct value *values, int count);
void put_column(struct out *out, const struct attr *attr, int alias);   /* with its table's alias where that is needed */
void put_expr(struct out *out, const struct expr *expr);
void put_operand(struct out *out, const struct expr *expr);             /* an expression that is compared or ordered by */
const struct attr *operand_attr(const struct expr *expr);               /* the attribute that decides how it compares, or NULL */

/* Whether two attributes are ENUMs, or lists of them, that are types of their own; and the type of their texts. */
bool enums_differ(const struct dialect *dialect, const struct attr *a, const struct attr *b);
const char *enum_text_type(const struct attr *attr);

void put_constant(struct out *out, bool boolean);                      /* a condition that is always so */
void put_group(struct out *out, const struct expr *expr);               /* EXPR_AND, EXPR_OR */
void put_not(struct out *out, const struct expr *expr);
void put_real(struct buf *buf, double real);                            /* as a number of JSON or SQL; infinities as too large ones */
void put_ordered(struct out *out, const struct expr *expr);             /* … that is ordered by */
/* An operator's text, its operands in place of \1 \2 \3. */
void put_template(struct out *out, const char *text, const struct expr *const operands[3]);

/* ---- render_list.c */

void put_list(struct out *out, const struct expr *expr);                /* EXPR_LIST */
void put_keys(struct out *out, const struct expr *expr);                /* EXPR_KEYS */

/* ---- render_statement.c */

void put_select(struct out *out, const struct select *select);

/* A statement each, or NULL if an error is set. */
struct statement *render_select(struct arena *, const struct dialect *, const struct select *, struct error *);
struct statement *render_insert(struct arena *, const struct dialect *, const struct insert *, struct error *);
struct statement *render_update(struct arena *, const struct dialect *, const struct update *, struct error *);
struct statement *render_delete(struct arena *, const struct dialect *, const struct delete *, struct error *);

#endif
