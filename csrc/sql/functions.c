#include "sql/functions.h"

#include <strings.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "sql/dialect.h"
#include "sql/expr.h"

enum result { RESULT_EXTREME, RESULT_FIRST, RESULT_SUM, RESULT_AVERAGE };

static const struct function {
    const char *name;
    enum result result;         /* a value of the only argument, of the first one, the sum or average of the only one */
} functions[] = {
    { "min", RESULT_EXTREME }, { "max", RESULT_EXTREME }, { "coalesce", RESULT_FIRST }, { "ifnull", RESULT_FIRST },
    { "nullif", RESULT_FIRST }, { "sum", RESULT_SUM }, { "avg", RESULT_AVERAGE },
};

static const struct function *function_find(const char *name) {
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++)
        if (strcasecmp(functions[i].name, name) == 0) return &functions[i];
    return NULL;
}

static const struct attr *column_attr(const struct expr *expr) {
    while (expr && expr->kind == EXPR_AT) expr = expr->first;
    bool known = expr && (expr->kind == EXPR_COLUMN || expr->kind == EXPR_FUNCTION);
    return known ? expr->attr : NULL;
}

/* Outside of a column nothing makes a number of a text: the values of a DECIMAL that is held as a number are bound as numbers. */
static const struct attr *without_column(struct arena *arena, const struct dialect *dialect, const struct attr *attr) {
    bool number = attr && dialect->decimal_text && attr->type.id == TYPE_DECIMAL && !type_is_long_decimal(&attr->type);
    if (!number || attr->type.as_number) return attr;
    struct attr *copy = arena_copy(arena, attr, sizeof *attr);
    copy->type.as_number = true;
    return copy;
}

const struct attr *function_argument_attr(struct arena *arena, const struct dialect *dialect, const char *name,
                                          const struct expr *first) {
    const struct function *function = function_find(name);
    return function && function->result == RESULT_FIRST ? without_column(arena, dialect, column_attr(first)) : NULL;
}

/* Sums have more digits than what is summed. */
static const struct attr *sum_attr(struct arena *arena, const struct attr *attr) {
    struct attr *copy = arena_copy(arena, attr, sizeof *attr);
    if (attr->type.precision) copy->type.precision = DECIMAL_DIGITS;
    copy->type.as_number = false;
    return copy;
}

static void complete_sum(struct arena *arena, const struct dialect *dialect, struct expr *call, const struct attr *attr) {
    if (attr->type.id == TYPE_BIGINT && dialect->bigint_sum) call->text = dialect->bigint_sum;
    if (attr->type.id != TYPE_DECIMAL) return;
    call->attr = sum_attr(arena, attr);
    if (!dialect->decimal_text) return;
    call->text = "liga_sum";
    call->first->next = expr_text(arena, arena_printf(arena, "%d", type_scale(&attr->type)));
}

/* A float: it compares as it is. */
static void complete_average(const struct dialect *dialect, struct expr *call, const struct attr *attr) {
    if (attr->type.id == TYPE_BIGINT && dialect->bigint_avg) call->text = dialect->bigint_avg;
    if (attr->type.id == TYPE_DECIMAL && dialect->decimal_text) call->text = "liga_avg";
}

void function_complete(struct arena *arena, const struct dialect *dialect, struct expr *call) {
    const struct function *function = function_find(call->text);
    const struct attr *attr = function ? column_attr(call->first) : NULL;
    if (!attr || (function->result != RESULT_FIRST && call->first->next)) return;
    if (function->result == RESULT_SUM) complete_sum(arena, dialect, call, attr);
    else if (function->result == RESULT_AVERAGE) complete_average(dialect, call, attr);
    else call->attr = without_column(arena, dialect, attr);
}
