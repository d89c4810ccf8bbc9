/* count, sum, min, max, avg. */
#include "lua/find.h"

#include <string.h>
#include <strings.h>

#include "lua/hydrate.h"
#include "lua/marker.h"
#include "lua/value.h"

/* ------------------------------------------------------------------------------------------------- aggregates */

struct aggregate {
    const char *function, *zero;        /* zero: what no rows give; NULL: NULL */
    bool keeps_type;                    /* the result has the attribute's type */
    bool real;                          /* the result is a float */
};

static const struct aggregate aggregates[] = {
    { "count", NULL, false, false },
    { "sum", "0", true, false },
    { "min", NULL, true, false },
    { "max", NULL, true, false },
    { "avg", NULL, false, true },
};

enum { AGGREGATE_COUNT, AGGREGATE_SUM, AGGREGATE_MIN, AGGREGATE_MAX, AGGREGATE_AVG };

static bool is_extreme(const struct aggregate *aggregate) {
    return aggregate == &aggregates[AGGREGATE_MIN] || aggregate == &aggregates[AGGREGATE_MAX];
}

static struct expr *call_of(struct arena *arena, const char *function, struct expr *argument) {
    struct expr *call = expr_new(arena, EXPR_FUNCTION);
    call->text = function;
    call->first = argument;
    return call;
}

static struct expr *cast_as(struct arena *arena, struct expr *argument, const char *type) {
    struct expr *cast = expr_new(arena, EXPR_CAST);
    cast->text = type;
    cast->first = argument;
    return cast;
}

static bool is_decimal(const struct attr *attr) {
    return attr->type.id == TYPE_DECIMAL;
}

/* DISTINCT within the parentheses of an aggregate. */
static struct expr *distinct_of(struct arena *arena, struct expr *subject) {
    return expr_template(arena, "DISTINCT \1", subject, NULL);
}

/* The function that adds BIGINTs up exactly, where the engine's own would not; NULL: there is no such need. */
static const char *exact_function(const struct dialect *dialect, const struct aggregate *aggregate, const struct attr *attr) {
    if (!attr || attr->type.id != TYPE_BIGINT) return NULL;
    return aggregate == &aggregates[AGGREGATE_SUM] ? dialect->bigint_sum : aggregate->real ? dialect->bigint_avg : NULL;
}

/* count(*), count(DISTINCT x), sum(x) …, NULL for no rows; DECIMALs are summed exactly, and a sum of integers is one. */
static struct expr *aggregate_value(struct arena *arena, const struct dialect *dialect, const struct aggregate *aggregate,
                                    struct expr *subject, const struct attr *attr, bool distinct) {
    bool sums = aggregate == &aggregates[AGGREGATE_SUM];
    bool document = subject->kind == EXPR_COLUMN && subject->attr->type.id == TYPE_JSON;
    if (distinct && document && dialect->json_differs) subject = cast_as(arena, subject, dialect->json_differs);
    if (distinct && !is_extreme(aggregate)) subject = distinct_of(arena, subject);
    if (attr && is_decimal(attr) && sums && dialect->decimal_text) {
        if (!distinct) subject->next = expr_text(arena, arena_printf(arena, "%d", type_scale(&attr->type)));
        return call_of(arena, "liga_sum", subject);
    }
    if (attr && is_decimal(attr) && aggregate->real && dialect->decimal_text) return call_of(arena, "liga_avg", subject);
    const char *exact = exact_function(dialect, aggregate, attr);
    struct expr *call = call_of(arena, exact ? exact : aggregate->function, subject);
    if (aggregate->real && dialect->real_cast) return cast_as(arena, call, dialect->real_cast);
    if (sums && attr && attr->type.id == TYPE_BIGINT && dialect->bigint_cast) return cast_as(arena, call, dialect->bigint_cast);
    return call;
}

/* With what no rows give. */
static struct expr *aggregate_call(struct find *find, const struct aggregate *aggregate, struct expr *subject,
                                   const struct attr *attr) {
    struct arena *arena = find->where.arena;
    struct expr *value = aggregate_value(arena, find->where.call->db->dialect, aggregate, subject, attr,
                                         find->plan->select->distinct);
    if (!aggregate->zero) return value;
    value->next = expr_text(arena, aggregate->zero);
    return call_of(arena, "coalesce", value);
}

static struct expr *aggregate_subject(lua_State *L, struct find *find, const struct attr **attr) {
    find->where.path = "attribute";
    bool marker = marker_test(L, 2) != NULL;
    if (!marker && lua_type(L, 2) != LUA_TSTRING) {
        find_wrong(find, "attribute", "an attribute name or an expression expected");
        return NULL;
    }
    find->base.multiplies = true;
    struct expr *expr = marker ? read_expression(L, &find->where, 2) : find_column(&find->where, name_at(L, 2), attr);
    find->base.multiplies = false;
    if (expr && expr->kind == EXPR_COLUMN) *attr = expr->attr;
    return expr;
}

/* A float, whatever the engine made of it. */
static const struct attr *real_attr(struct arena *arena) {
    struct attr *attr = arena_new(arena, struct attr);
    attr->type.id = TYPE_DOUBLE;
    return attr;
}

static const struct aggregate *aggregate_named(const char *name) {
    for (size_t i = AGGREGATE_SUM; i < sizeof aggregates / sizeof aggregates[0]; i++)
        if (strcasecmp(aggregates[i].function, name) == 0) return &aggregates[i];
    return NULL;
}

const struct expr *aggregate_expression(const struct find *find, const struct expr *expr, const struct attr **reads_as) {
    const struct expr *subject = expr->kind == EXPR_FUNCTION ? expr->first : NULL;
    const struct aggregate *aggregate = subject && !subject->next ? aggregate_named(expr->text) : NULL;
    const struct attr *attr = aggregate && subject->kind == EXPR_COLUMN ? subject->attr : NULL;
    if (!attr || (!type_is_number(&attr->type) && (aggregate->zero || aggregate->real))) return expr;
    struct arena *arena = find->where.arena;
    struct expr *column = expr_new(arena, EXPR_COLUMN);
    *column = *subject;
    *reads_as = aggregate->real ? real_attr(arena) : attr;
    return aggregate_value(arena, find->where.call->db->dialect, aggregate, column, attr, false);
}

/* The single cell of the single row, under the name of the function. */
static int scalar_results(lua_State *L, struct call *call) {
    push_call_value(L, call, CALL_RESULT);
    if (lua_isnil(L, -1)) return 1;
    lua_getfield(L, -1, call->plan->columns[0].name);
    return 1;
}

/* An aggregate of limited rows looks at those rows only: they become a table, the subject its column. */
static struct expr *subject_of_limited(struct find *find, struct expr *subject) {
    struct arena *arena = find->where.arena;
    struct select *rows = find->plan->select;
    bool distinct = rows->distinct;
    rows->distinct = false;
    rows->outputs = NULL;
    output_add(arena, &rows->outputs, subject, "value");
    struct select *outer = plan_count(arena, rows);
    outer->outputs = NULL;
    outer->distinct = distinct;
    find->plan->select = outer;
    struct expr *value = expr_new(arena, EXPR_NAME);
    value->text = "value";
    value->attr = subject->kind == EXPR_COLUMN ? subject->attr : NULL;
    return value;
}

/* Plans the aggregate; grouped: for each group a row with it and the result. */
static void plan_aggregate(struct find *find, const struct aggregate *aggregate, struct expr *subject, const struct attr *attr) {
    struct plan *plan = find->plan;
    struct arena *arena = find->where.arena;
    if (!find->grouped_count && (plan->select->limit >= 0 || plan->select->offset >= 0))
        subject = subject_of_limited(find, subject);
    struct expr *result = aggregate_call(find, aggregate, subject, attr);
    bool typed = aggregate->keeps_type && attr;
    const struct attr *reads_as = aggregate->real ? real_attr(arena) : typed ? attr : NULL;
    if (plan->select->distinct) plan->select->distinct = false;
    for (int i = 0; i < find->grouped_count; i++) {
        const struct output *group = plan->select->group;
        for (int skip = 0; skip < i; skip++) group = group->next;
        plan_expression(arena, plan, group->expr, find->grouped[i].name, find->grouped[i].attr);
    }
    plan_expression(arena, plan, result, aggregate->function, reads_as);
    plan->raw = true;
    plan->one = find->grouped_count == 0;
    if (plan->one) plan->select->order = NULL;
}

/* A count of limited rows counts the limited rows. */
static void plan_count_of_limited(struct find *find) {
    struct plan *plan = find->plan;
    struct arena *arena = find->where.arena;
    plan->select->outputs = NULL;
    output_add(arena, &plan->select->outputs, expr_text(arena, "1"), NULL);
    struct select *counted = plan_count(arena, plan->select);
    plan->select = counted;
    plan->column_count = plan->nodes[0].count = 0;
    counted->outputs = NULL;
    plan_expression(arena, plan, call_of(arena, "count", expr_new(arena, EXPR_STAR)), "count", NULL);
    plan->raw = plan->one = true;
}

/* A list of plain rows, or the one value. */
static int run_planned(lua_State *L, struct call *call) {
    hydrate_plan(L, call);
    if (call->plan->one) call->results = scalar_results;
    return call_run(L, call);
}

bool plan_rows_count(struct find *find) {
    struct select *select = find->plan->select;
    struct expr *subject = (struct expr *)(uintptr_t)find->expression;
    if (find->attributes_given) find_wrong(find, "attributes", "count takes no attributes (col = names what to count)");
    if (error_is_set(find->where.error)) return false;
    bool limited = select->limit >= 0 || select->offset >= 0;
    if (!subject && !find->grouped_count && limited) {
        plan_count_of_limited(find);
        return true;
    }
    if (!subject) select->distinct = false;
    plan_aggregate(find, &aggregates[AGGREGATE_COUNT], subject ? subject : expr_new(find->where.arena, EXPR_STAR), NULL);
    return true;
}

int count_rows(lua_State *L, struct call *call, struct find *find) {
    return plan_rows_count(find) ? run_planned(L, call) : call_raise(L, call);
}

static int count(lua_State *L) {
    struct call *call;
    lua_settop(L, 2);
    struct find *find = start_find(L, &call);
    if (read_find(L, find, 2, FIND_COUNT)) find_filters(L, find);
    return count_rows(L, call, find);
}

static int aggregate_of(lua_State *L, const struct aggregate *aggregate) {
    struct call *call;
    const struct attr *attr = NULL;
    lua_settop(L, 3);
    struct find *find = start_find(L, &call);
    struct expr *subject = aggregate_subject(L, find, &attr);
    if (subject && read_find(L, find, 3, FIND_VALUE)) find_filters(L, find);
    if (find->attributes_given) find_wrong(find, "attributes", "an aggregate takes no attributes");
    if (error_is_set(&call->error)) return call_raise(L, call);
    if (attr && !type_is_number(&attr->type) && (aggregate->zero || aggregate->real))
        return call_fail(L, call, ERROR_USAGE, "%s: %s.%s is no number but %s", aggregate->function, attr->model->name,
                         attr->name, type_text(&attr->type, &call->arena));
    if (attr && is_extreme(aggregate) && !type_has_order(&attr->type))
        return call_fail(L, call, ERROR_USAGE, "%s: %s.%s is %s, which has no order", aggregate->function, attr->model->name,
                         attr->name, type_text(&attr->type, &call->arena));
    plan_aggregate(find, aggregate, subject, attr);
    return run_planned(L, call);
}

static int sum(lua_State *L) { return aggregate_of(L, &aggregates[AGGREGATE_SUM]); }
static int min(lua_State *L) { return aggregate_of(L, &aggregates[AGGREGATE_MIN]); }
static int max(lua_State *L) { return aggregate_of(L, &aggregates[AGGREGATE_MAX]); }
static int avg(lua_State *L) { return aggregate_of(L, &aggregates[AGGREGATE_AVG]); }

void open_aggregates(lua_State *L) {
    static const luaL_Reg functions[] = {
        { "count", count }, { "sum", sum }, { "min", min }, { "max", max }, { "avg", avg }, { NULL, NULL },
    };
    add_functions(L, functions);
}
