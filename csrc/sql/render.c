#define _POSIX_C_SOURCE 200809L

#include "sql/render.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/decimal.h"
#include "base/error.h"
#include "sql/ddl.h"

enum { FIRST_PARAMS = 16 };

void out_init(struct out *out, struct arena *arena, const struct dialect *dialect, struct error *error) {
    *out = (struct out){ .arena = arena, .dialect = dialect, .error = error };
    buf_init(&out->buf, arena);
}

struct statement *out_finish(struct out *out, enum statement_kind kind) {
    if (error_is_set(out->error)) return NULL;
    struct statement *statement = arena_new(out->arena, struct statement);
    statement->text = out->buf.text;
    statement->len = out->buf.len;
    statement->params = out->params;
    statement->param_count = out->param_count;
    statement->kind = kind;
    statement->one_off = out->one_off;
    return statement;
}

/* ------------------------------------------------------------------------------------------------------ words */

void put_name(struct out *out, const char *name) {
    put_text(out, "\"");
    for (const char *quote; (quote = strchr(name, '"')); name = quote + 1) {
        buf_add(&out->buf, name, (size_t)(quote - name) + 1);
        put_text(out, "\"");
    }
    put_text(out, name);
    put_text(out, "\"");
}

void put_table_name(struct out *out, const char *schema, const char *table) {
    if (schema && out->dialect->schemas) {
        put_name(out, schema);
        put_text(out, ".");
    }
    put_name(out, table);
}

void put_table(struct out *out, const struct model *model) {
    put_table_name(out, model->table_schema, model->table);
}

void put_alias(struct out *out, int alias) {
    buf_addc(&out->buf, 't');
    buf_addi(&out->buf, alias);
}

static void add_param(struct out *out, struct value value) {
    if (out->param_count == out->param_size) {
        int size = out->param_size ? out->param_size * 2 : FIRST_PARAMS;
        struct value *params = arena_array(out->arena, struct value, size);
        if (out->param_count) memcpy(params, out->params, sizeof *params * (size_t)out->param_count);
        out->params = params;
        out->param_size = size;
    }
    out->params[out->param_count++] = value;
}

void put_real(struct buf *buf, double real) {
    char text[REAL_TEXT];
    if (isinf(real)) buf_adds(buf, real > 0 ? "9e999" : "-9e999");
    else buf_add(buf, text, real_text(real, text));
}

static void put_real_literal(struct out *out, double real) {
    if (isfinite(real) || !out->dialect->real_words) put_real(&out->buf, real);
    else put_text(out, isnan(real) ? "'NaN'" : real > 0 ? "'Infinity'" : "'-Infinity'");
}

void put_literal(struct out *out, struct value value) {
    switch (value.kind) {
    case VALUE_NULL: put_text(out, "NULL"); break;
    case VALUE_BOOL: put_text(out, value.as.boolean ? "TRUE" : "FALSE"); break;
    case VALUE_INT:  buf_addi(&out->buf, value.as.integer); break;
    case VALUE_REAL: put_real_literal(out, value.as.real); break;
    case VALUE_BLOB:
        put_text(out, out->dialect->blob_open);
        for (size_t i = 0; i < value.len; i++) buf_addf(&out->buf, "%02x", (unsigned char)value.as.text[i]);
        put_text(out, "'");
        break;
    case VALUE_TEXT:
        put_text(out, "'");
        for (size_t i = 0; i < value.len; i++) {
            if (value.as.text[i] == '\'') put_text(out, "'");
            buf_addc(&out->buf, value.as.text[i]);
        }
        put_text(out, "'");
        break;
    case VALUE_LIST: break;         /* a parameter only */
    }
}

void put_param(struct out *out, struct value value) {
    if (out->literals) {
        put_literal(out, value);
        return;
    }
    add_param(out, value);
    if (out->dialect->mark == MARK_QUESTION) {
        buf_addc(&out->buf, '?');
        return;
    }
    buf_addc(&out->buf, '$');
    buf_addi(&out->buf, out->param_count);
}

/* A parameter that was written as part of a call. */
struct placed_param {
    struct placed_param *next;
    const char *text;           /* of the function, or of what stands before the parameter */
    int place, number;
};

static bool write_again(struct out *out, const char *text, int place, struct value value) {
    for (const struct placed_param *param = out->placed; param; param = param->next) {
        if (param->place != place || strcmp(param->text, text) != 0) continue;
        if (!value_equal(out->params[param->number - 1], value)) continue;
        buf_addc(&out->buf, '$');
        buf_addi(&out->buf, param->number);
        return true;
    }
    return false;
}

/* The parameter at a place of a call. Where a SELECT groups, the same value at the same place of the same call is one parameter:
 * PostgreSQL takes two expressions for one only if these are. The place tells that it has one type. */
static void put_placed_param(struct out *out, const char *text, int place, struct value value) {
    bool reuses = out->regroups && out->dialect->mark == MARK_DOLLAR && !out->literals;
    if (reuses && write_again(out, text, place, value)) return;
    put_param(out, value);
    if (!reuses) return;
    struct placed_param *param = arena_new(out->arena, struct placed_param);
    *param = (struct placed_param){ out->placed, text, place, out->param_count };
    out->placed = param;
}

/* An argument of a call. */
static void put_argument(struct out *out, const char *text, int place, const struct expr *argument) {
    if (argument->kind == EXPR_PARAM && argument->value.kind != VALUE_NULL) put_placed_param(out, text, place, argument->value);
    else put_expr(out, argument);
}

void put_array(struct out *out, const struct attr *attr, const struct value *values, int count) {
    struct value list = value_list(values, (size_t)count);
    list.elements = attr->type.id == TYPE_DATE ? LIST_CAST_INSTANTS : LIST_CAST;
    put_param(out, list);
    put_text(out, "::");
    put_text(out, ddl_element_type(out->arena, out->dialect, &attr->type));
    put_text(out, "[]");
}

static const struct type *innermost(const struct attr *attr) {
    const struct type *type = &attr->type;
    while (type->element) type = type->element;
    return type;
}

/* The type as which JSON, or a list of it, has an equality; NULL: the attribute's own has one. */
static const char *json_equal_type(const struct out *out, const struct attr *attr) {
    const char *type = out->dialect->json_differs;
    if (!type || innermost(attr)->id != TYPE_JSON) return NULL;
    return attr->type.id == TYPE_ARRAY ? arena_printf(out->arena, "%s[]", type) : type;
}

static bool is_mixed_date(const struct out *out, const struct attr *attr) {
    return out->dialect->date_forms && attr->type.id == TYPE_DATE && attr->type.stored == DATE_MIXED;
}

/* Where rows are told apart by their columns, these are of types that have an equality, and equal instants of one form. */
void put_column(struct out *out, const struct attr *attr, int alias) {
    const char *equal = out->regroups ? json_equal_type(out, attr) : NULL;
    bool mixed = out->regroups && is_mixed_date(out, attr);
    if (mixed) put_text(out, "liga_date(");
    if (out->qualified) {
        put_alias(out, alias == ALIAS_HERE ? out->here : alias);
        buf_addc(&out->buf, '.');
    }
    put_name(out, attr->column);
    if (equal) put_text(out, "::");
    if (equal) put_text(out, equal);
    if (mixed) put_text(out, ")");
}

/* ------------------------------------------------------------------------------------------------ expressions */

/* What must stand in parentheses as an operand. */
static bool is_condition(const struct expr *expr) {
    while (expr->kind == EXPR_AT) expr = expr->first;
    switch (expr->kind) {
    case EXPR_OPERATOR: case EXPR_LIST: case EXPR_AND: case EXPR_OR: case EXPR_NOT: case EXPR_CONST: case EXPR_KEYS: return true;
    case EXPR_SELECT: return expr->first;       /* x IN (SELECT …) */
    default: return false;
    }
}

/* The column whose smallest or largest value a call gives, or NULL. */
static const struct expr *extreme_column(const struct expr *call) {
    bool extreme = call->kind == EXPR_FUNCTION && call->first && !call->first->next
                && (strcasecmp(call->text, "min") == 0 || strcasecmp(call->text, "max") == 0);
    const struct expr *column = extreme ? call->first : NULL;
    while (column && column->kind == EXPR_AT) column = column->first;
    return column && (column->kind == EXPR_COLUMN || column->kind == EXPR_NAME) ? call->first : NULL;
}

const struct attr *operand_attr(const struct expr *expr) {
    while (expr->kind == EXPR_AT) expr = expr->first;
    bool known = expr->kind == EXPR_COLUMN || expr->kind == EXPR_NAME || (expr->kind == EXPR_FUNCTION && expr->attr);
    if (known) return expr->attr;
    bool scalar = expr->kind == EXPR_SELECT && !expr->first && expr->select->outputs;      /* (SELECT … LIMIT 1) */
    if (scalar) return operand_attr(expr->select->outputs->expr);
    const struct expr *column = extreme_column(expr);
    return column ? operand_attr(column) : NULL;
}

/* The ENUM by whose order of values an operand has to be compared, as the engine knows none; or NULL. */
static const struct attr *placing_attr(const struct out *out, const struct expr *expr) {
    const struct attr *attr = operand_attr(expr);
    return attr && enum_is_text(out->dialect, &attr->type) ? attr : NULL;
}

static int place_of(const struct type *type, struct value value) {
    for (int i = 0; i < type->value_count; i++)
        if (value.kind == VALUE_TEXT && strlen(type->values[i]) == value.len && !memcmp(type->values[i], value.as.text, value.len))
            return i;
    return -1;
}

/* EXPR_PLACE; NULL for what is none of the values. */
static void put_place(struct out *out, const struct expr *expr, const struct type *type) {
    int place = expr->kind == EXPR_PARAM ? place_of(type, expr->value) : -1;
    if (place >= 0) {
        put_param(out, value_int(place));
        return;
    }
    put_text(out, "CASE ");
    put_expr(out, expr);
    for (int i = 0; i < type->value_count; i++) {
        put_text(out, " WHEN ");
        put_param(out, value_text(type->values[i], strlen(type->values[i])));
        put_text(out, " THEN ");
        buf_addi(&out->buf, i);
    }
    put_text(out, " END");
}

void put_ordered(struct out *out, const struct expr *expr) {
    const struct attr *attr = placing_attr(out, expr);
    if (attr) put_place(out, expr, &attr->type);
    else put_operand(out, expr);
}

static bool is_decimal_text(const struct out *out, const struct attr *attr) {
    return out->dialect->decimal_text && type_is_long_decimal(&attr->type);
}

/* Other programs have to be able to open the file: what liga adds to SQLite stays out of its schema. */
static void refuse_in_ddl(struct out *out, const char *what) {
    error_set(out->error, out->arena, ERROR_USAGE,
              "the condition of an index or a check can't use what only liga knows how to compare (%s)", what);
}

/* A column where it is compared or ordered: SQLite needs a collation for long decimals and a function for dates in mixed
 * forms; elsewhere this is put_expr. */
void put_operand(struct out *out, const struct expr *expr) {
    const struct attr *attr = operand_attr(expr);
    bool mixed = attr && is_mixed_date(out, attr), collated = attr && is_decimal_text(out, attr);
    if (out->literals && (mixed || collated)) refuse_in_ddl(out, attr->name);
    if (mixed) put_text(out, "liga_date(");
    if (is_condition(expr)) put_text(out, "(");
    put_expr(out, expr);
    if (is_condition(expr)) put_text(out, ")");
    if (mixed) put_text(out, ")");
    if (collated) {
        put_text(out, " COLLATE ");
        put_text(out, out->dialect->decimal_collation);
    }
}

/* Writes an operator's text, its operands in place of \1 \2 \3. */
void put_template(struct out *out, const char *text, const struct expr *const operands[3]) {
    if (out->literals && strstr(text, "liga_")) refuse_in_ddl(out, "like, regexp");
    for (size_t plain; *text; text += plain + (text[plain] != '\0')) {
        plain = strcspn(text, "\1\2\3");
        buf_add(&out->buf, text, plain);
        if (text[plain]) put_operand(out, operands[text[plain] - '\1']);
    }
}

static void put_operands(struct out *out, const char *text, const struct expr *expr) {
    const struct expr *second = expr->first->next;
    const struct expr *operands[3] = { expr->first, second, second ? second->next : NULL };
    put_template(out, text, operands);
}

static bool op_orders(enum op op) {
    return op >= OP_GT && op <= OP_NOT_BETWEEN;
}

/* The operator over the places of its operands in the ENUM that the first one is of. */
static void put_places(struct out *out, const char *text, const struct expr *expr, const struct attr *attr) {
    struct expr places[3] = { { .kind = EXPR_PLACE } };
    const struct expr *operands[3] = { NULL }, *child = expr->first;
    for (int i = 0; child && i < 3; i++, child = child->next) {
        places[i] = (struct expr){ .kind = EXPR_PLACE, .first = (struct expr *)(uintptr_t)child, .attr = attr };
        operands[i] = &places[i];
    }
    put_template(out, text, operands);
}

static const char *enum_type_name(const struct attr *attr) {
    const struct type *type = attr ? innermost(attr) : NULL;
    if (!type || type->id != TYPE_ENUM || !type->enum_name) return NULL;
    return type->enum_shared ? type->enum_shared : type->enum_name;
}

bool enums_differ(const struct dialect *dialect, const struct attr *a, const struct attr *b) {
    const char *first = dialect->enum_types ? enum_type_name(a) : NULL, *second = enum_type_name(b);
    return first && second && strcmp(first, second) != 0;
}

const char *enum_text_type(const struct attr *attr) {
    return attr->type.id == TYPE_ARRAY ? "TEXT[]" : "TEXT";
}

/* The type as which the operands are compared where the engine knows no operator between their own; NULL: it does. */
static const char *compared_type(const struct out *out, const struct expr *expr) {
    const struct attr *attr = operand_attr(expr->first);
    enum type_id id = attr ? innermost(attr)->id : TYPE_COUNT;
    if ((id != TYPE_ENUM && id != TYPE_JSON) || expr->op == OP_IS || expr->op == OP_IS_NOT) return NULL;
    if (attr->type.id == TYPE_ARRAY && json_equal_type(out, attr)) return json_equal_type(out, attr);
    for (const struct expr *child = expr->first->next; child; child = child->next)
        if (enums_differ(out->dialect, attr, operand_attr(child))) return enum_text_type(attr);
    return NULL;
}

/* The same operator over its operands as that type. ENUMs are ordered by the first one's values, so are lists of them: there the
 * others become lists of its type. */
static void put_compared(struct out *out, const char *text, const struct expr *expr, const char *type) {
    struct expr casts[3] = { { .kind = EXPR_CAST } }, lists[3], whole = *expr;
    const struct attr *attr = operand_attr(expr->first);
    const struct expr *child = expr->first;
    const char *own = ddl_type(out->arena, out->dialect, &attr->type);
    bool orders = op_orders(expr->op), places = orders && attr->type.id == TYPE_ENUM;
    for (int i = 0; child && i < 3; i++, child = child->next) {
        casts[i] = (struct expr){ .kind = EXPR_CAST, .text = type, .first = (struct expr *)(uintptr_t)child };
        if (places && child->kind == EXPR_PARAM) casts[i] = *child;
        lists[i] = casts[i];
        if (orders && !places) casts[i] = (struct expr){ .kind = EXPR_CAST, .text = own, .first = &lists[i] };
        casts[i].next = child->next && i < 2 ? &casts[i + 1] : NULL;
    }
    whole.first = casts;
    if (places) put_places(out, text, &whole, attr);
    else put_operands(out, text, &whole);
}

static void put_operator(struct out *out, const struct expr *expr) {
    const char *text = out->dialect->op[expr->op] ? out->dialect->op[expr->op] : op_table[expr->op].text;
    const struct attr *attr = op_orders(expr->op) ? placing_attr(out, expr->first) : NULL;
    const char *type = attr ? NULL : compared_type(out, expr);
    if (attr) put_places(out, text, expr, attr);
    else if (type) put_compared(out, text, expr, type);
    else put_operands(out, text, expr);
}

static bool takes_anything(const struct dialect *dialect, const char *function) {
    for (const char *const *name = dialect->any_functions; name && *name; name++)
        if (strcasecmp(*name, function) == 0) return true;
    return false;
}

/* The value at the smallest or largest place. */
static void put_extreme_place(struct out *out, const struct expr *call, const struct type *type) {
    put_text(out, "CASE ");
    put_text(out, call->text);
    put_text(out, "(");
    put_place(out, call->first, type);
    put_text(out, ")");
    for (int i = 0; i < type->value_count; i++) {
        put_text(out, " WHEN ");
        buf_addi(&out->buf, i);
        put_text(out, " THEN ");
        put_param(out, value_text(type->values[i], strlen(type->values[i])));
    }
    put_text(out, " END");
}

/* What the dialect has for min or max of a type for which it lacks these functions, or NULL. */
static const char *own_extreme(const struct out *out, const struct expr *call, const struct attr *attr) {
    bool least = strcasecmp(call->text, "min") == 0;
    return (least ? out->dialect->least : out->dialect->greatest)[attr->type.id];
}

/* Smallest and largest values are found as the engine compares them: of a column that it would compare otherwise than as it is. */
static bool put_extreme(struct out *out, const struct expr *call) {
    const struct expr *column = extreme_column(call);
    const struct attr *attr = column ? operand_attr(column) : NULL;
    const char *own = attr ? own_extreme(out, call, attr) : NULL;
    if (own) {
        const struct expr *operands[3] = { column, NULL, NULL };
        put_template(out, own, operands);
        return true;
    }
    if (attr && placing_attr(out, column)) {
        put_extreme_place(out, call, &attr->type);
        return true;
    }
    if (!attr || !(is_mixed_date(out, attr) || is_decimal_text(out, attr))) return false;
    put_text(out, call->text);
    put_text(out, "(");
    put_operand(out, column);
    put_text(out, ")");
    return true;
}

/* A function that takes values of any type tells the server nothing of what a parameter is: the parameter says so itself. */
static void put_call(struct out *out, const struct expr *expr) {
    if (put_extreme(out, expr)) return;
    bool any = takes_anything(out->dialect, expr->text);
    int place = 0;
    put_text(out, expr->text);
    put_text(out, "(");
    for (const struct expr *argument = expr->first; argument; argument = argument->next) {
        const char *cast = any && argument->kind == EXPR_PARAM ? out->dialect->value_cast[argument->value.kind] : NULL;
        if (argument != expr->first) put_text(out, ", ");
        put_argument(out, expr->text, place++, argument);
        if (cast) put_text(out, cast);
    }
    put_text(out, ")");
}

static void put_cast(struct out *out, const struct expr *expr) {
    put_text(out, "CAST(");
    put_argument(out, expr->text, 0, expr->first);
    put_text(out, " AS ");
    put_text(out, expr->text);
    put_text(out, ")");
}

static void put_raw(struct out *out, const struct expr *expr) {
    const char *const *piece = expr->pieces;
    int place = 0;
    put_text(out, *piece++);
    for (const struct expr *argument = expr->first; argument; argument = argument->next) {
        put_argument(out, piece[-1], place++, argument);
        put_text(out, *piece++);
    }
}

/* What a path begins at: the column itself, as the path says what it is taken for. */
static void put_document(struct out *out, const struct expr *document) {
    bool regroups = out->regroups;
    out->regroups = false;
    put_expr(out, document);
    out->regroups = regroups;
}

/* Every leg is a parameter: no key of a document can be more than a key. */
static void put_json(struct out *out, const struct expr *expr) {
    const struct json_path_text *text = &out->dialect->json_path;
    if (out->literals && strstr(text->open, "liga_")) refuse_in_ddl(out, "a path into JSON");
    put_text(out, text->open);
    put_document(out, expr->first);
    put_text(out, text->document);
    for (int i = 0; i < expr->value_count; i++) {
        const char *const *around = expr->values[i].kind == VALUE_INT ? text->index : text->name;
        put_text(out, around[0]);
        put_placed_param(out, around[0], i, expr->values[i]);
        put_text(out, around[1]);
    }
    put_text(out, text->close);
}

static void put_at(struct out *out, const struct expr *expr) {
    int before = out->here;
    if (expr->alias != ALIAS_HERE) out->here = expr->alias;
    put_expr(out, expr->first);
    out->here = before;
}

static void put_subselect(struct out *out, const struct expr *expr) {
    if (expr->kind == EXPR_EXISTS) put_text(out, "EXISTS ");
    if (expr->first) put_operand(out, expr->first);
    if (expr->first) put_text(out, expr->op == OP_NOT_IN ? " NOT IN " : " IN ");
    put_text(out, "(");
    put_select(out, expr->select);
    put_text(out, ")");
}

void put_expr(struct out *out, const struct expr *expr) {
    switch (expr->kind) {
    case EXPR_COLUMN:   put_column(out, expr->attr, expr->alias); break;
    case EXPR_NAME:     put_name(out, expr->text); break;
    case EXPR_FIELD:    put_alias(out, expr->alias); put_text(out, "."); put_name(out, expr->text); break;
    case EXPR_PARAM:
        if (expr->value.kind == VALUE_NULL) put_text(out, "NULL");
        else put_param(out, expr->value);
        break;
    case EXPR_OPERATOR: put_operator(out, expr); break;
    case EXPR_LIST:     put_list(out, expr); break;
    case EXPR_AND:
    case EXPR_OR:       put_group(out, expr); break;
    case EXPR_NOT:      put_not(out, expr); break;
    case EXPR_CONST:    put_constant(out, expr->value.as.boolean); break;
    case EXPR_FUNCTION: put_call(out, expr); break;
    case EXPR_CAST:     put_cast(out, expr); break;
    case EXPR_RAW:      put_raw(out, expr); break;
    case EXPR_STAR:     put_text(out, "*"); break;
    case EXPR_AT:       put_at(out, expr); break;
    case EXPR_EXISTS:
    case EXPR_SELECT:   put_subselect(out, expr); break;
    case EXPR_EXCLUDED: put_text(out, "excluded."); put_name(out, expr->attr->column); break;
    case EXPR_STANDING: put_table(out, expr->attr->model); put_text(out, "."); put_name(out, expr->attr->column); break;
    case EXPR_KEYS:     put_keys(out, expr); break;
    case EXPR_JSON:     put_json(out, expr); break;
    case EXPR_TEMPLATE: put_operands(out, expr->text, expr); break;
    case EXPR_PLACE:    put_place(out, expr->first, &expr->attr->type); break;
    }
}
