/* Lists and keys in conditions: IN, and tuples of several columns. */
#include "sql/render.h"

#include "base/arena.h"
#include "base/json_text.h"

enum { FEW_TUPLES = 32 };

/* A longer list than usual is what it is: padded it might have more parameters than the engine takes. */
static int padded(const struct out *out, int count) {
    if (count > out->dialect->in_list_limit) return count;
    int size = 1;
    while (size < count) size *= 2;
    return size;
}

static void put_json_value(struct buf *buf, struct value value) {
    switch (value.kind) {
    case VALUE_NULL: buf_adds(buf, "null"); break;
    case VALUE_BOOL: buf_adds(buf, value.as.boolean ? "1" : "0"); break;
    case VALUE_INT:  buf_addi(buf, value.as.integer); break;
    case VALUE_REAL: put_real(buf, value.as.real); break;
    case VALUE_TEXT:
    case VALUE_BLOB: json_text_put(buf, value.as.text, value.len); break;
    case VALUE_LIST: break;
    }
}

static void put_json_array(struct buf *buf, const struct value *values, int count) {
    buf_addc(buf, '[');
    for (int i = 0; i < count; i++) {
        if (i) buf_addc(buf, ',');
        put_json_value(buf, values[i]);
    }
    buf_addc(buf, ']');
}

static struct value json_array(struct out *out, const struct value *values, int count) {
    struct buf buf;
    buf_init(&buf, out->arena);
    put_json_array(&buf, values, count);
    return value_text(buf.text, buf.len);
}

/* [[1,"a"],[2,"b"]] */
static struct value json_tuples(struct out *out, const struct value *values, int tuples, int parts) {
    struct buf buf;
    buf_init(&buf, out->arena);
    buf_addc(&buf, '[');
    for (int at = 0; at < tuples; at++) {
        if (at) buf_addc(&buf, ',');
        put_json_array(&buf, values + at * parts, parts);
    }
    buf_addc(&buf, ']');
    return value_text(buf.text, buf.len);
}

/* A list as one parameter: an array, or where there are none, JSON. */
static struct value list_value(struct out *out, const struct value *values, int count) {
    return out->dialect->array_lists ? value_list(values, (size_t)count) : json_array(out, values, count);
}

/* Whether a list can't be a JSON array. */
static bool has_blob(const struct value *values, int count) {
    for (int i = 0; i < count; i++)
        if (values[i].kind == VALUE_BLOB) return true;
    return false;
}

static void put_marks(struct out *out, const struct expr *expr) {
    put_operand(out, expr->first);
    put_text(out, expr->op == OP_IN ? " IN (" : " NOT IN (");
    int size = out->literals ? expr->value_count : padded(out, expr->value_count);
    for (int i = 0; i < size; i++) {
        if (i) put_text(out, ", ");
        put_param(out, expr->values[i < expr->value_count ? i : expr->value_count - 1]);
    }
    put_text(out, ")");
}

/* Whether a list goes as one parameter: DDL takes none. */
static bool goes_as_array(const struct out *out, const struct expr *expr) {
    return expr->value_count > out->dialect->in_list_limit && !out->literals
        && (out->dialect->array_lists || !has_blob(expr->values, expr->value_count));
}

/* Whether an operand is a REAL of 32 bits, which equals no double that is not one of its values. */
static bool is_single(const struct expr *operand) {
    const struct attr *attr = operand_attr(operand);
    return attr && attr->type.id == TYPE_REAL && attr->type.single;
}

/* IN: an empty list is no row, an empty NOT IN is all rows; one value is an equality; the list is padded to a power of two so
 * that few texts serve all lengths, and a long one goes as one array. */
void put_list(struct out *out, const struct expr *expr) {
    bool in = expr->op == OP_IN;
    if (expr->value_count == 0) {
        put_constant(out, !in);
    } else if (goes_as_array(out, expr)) {
        struct expr list = { .kind = EXPR_PARAM, .value = list_value(out, expr->values, expr->value_count) };
        struct expr single = { .kind = EXPR_CAST, .text = "REAL[]", .first = &list };
        const struct expr *operands[3] = { expr->first, is_single(expr->first) ? &single : &list, NULL };
        put_template(out, in ? out->dialect->in_array : out->dialect->not_in_array, operands);
    } else {
        put_marks(out, expr);
    }
}

static void put_tuple(struct out *out, const struct expr *expr, int at) {
    for (int k = 0; k < expr->attrs.count; k++) {
        struct expr column = { .kind = EXPR_COLUMN, .attr = expr->attrs.items[k], .alias = expr->alias };
        if (k) put_text(out, " AND ");
        put_operand(out, &column);
        put_text(out, " = ");
        put_param(out, expr->values[at * expr->attrs.count + k]);
    }
}

/* (a = 1 AND b = 2) OR (a = 3 AND b = 4): the planner looks each term up by itself. Halved recursively for depth. */
static void put_tuples(struct out *out, const struct expr *expr, int from, int to) {
    if (to - from == 1) {
        put_tuple(out, expr, from);
        return;
    }
    int middle = from + (to - from) / 2;
    put_text(out, "(");
    put_tuples(out, expr, from, middle);
    put_text(out, ") OR (");
    put_tuples(out, expr, middle, to);
    put_text(out, ")");
}

static void put_key_columns(struct out *out, const struct expr *expr) {
    put_text(out, "(");
    for (int k = 0; k < expr->attrs.count; k++) {
        if (k) put_text(out, ", ");
        put_column(out, expr->attrs.items[k], expr->alias);
    }
    put_text(out, ")");
}

/* (a, b) IN (SELECT * FROM unnest($1::BIGINT[], $2::TEXT[])): an array for each column. */
static void put_tuple_arrays(struct out *out, const struct expr *expr, int tuples) {
    put_key_columns(out, expr);
    put_text(out, " IN (SELECT * FROM unnest(");
    for (int k = 0; k < expr->attrs.count; k++) {
        struct value *column = arena_array(out->arena, struct value, tuples);
        for (int at = 0; at < tuples; at++) column[at] = expr->values[at * expr->attrs.count + k];
        if (k) put_text(out, ", ");
        put_array(out, expr->attrs.items[k], column, tuples);
    }
    put_text(out, "))");
}

/* (a, b) IN (VALUES (1, 2), (3, 4)): for many tuples, which a tree of ORs would look through one by one. */
static void put_tuple_list(struct out *out, const struct expr *expr, int tuples) {
    put_key_columns(out, expr);
    put_text(out, " IN (VALUES ");
    for (int at = 0; at < tuples; at++) {
        put_text(out, at ? ", (" : "(");
        for (int k = 0; k < expr->attrs.count; k++) {
            if (k) put_text(out, ", ");
            put_param(out, expr->values[at * expr->attrs.count + k]);
        }
        put_text(out, ")");
    }
    put_text(out, ")");
}

/* (a, b) IN (SELECT the two parts of each element FROM json_each(?)): more parameters than the engine takes become one. */
static void put_tuple_json(struct out *out, const struct expr *expr, int tuples) {
    put_key_columns(out, expr);
    put_text(out, " IN (SELECT ");
    for (int k = 0; k < expr->attrs.count; k++) {
        if (k) put_text(out, ", ");
        buf_addf(&out->buf, out->dialect->tuple_part, k);
    }
    put_text(out, " FROM json_each(");
    put_param(out, json_tuples(out, expr->values, tuples, expr->attrs.count));
    put_text(out, "))");
}

static bool fits_json(const struct out *out, const struct expr *expr) {
    return expr->value_count > out->dialect->tuple_values && !has_blob(expr->values, expr->value_count);
}

void put_keys(struct out *out, const struct expr *expr) {
    int tuples = expr->attrs.count ? expr->value_count / expr->attrs.count : 0;
    if (!tuples) {
        put_constant(out, false);
    } else if (expr->attrs.count == 1) {
        struct expr column = { .kind = EXPR_COLUMN, .attr = expr->attrs.items[0], .alias = expr->alias };
        struct expr list = { .kind = EXPR_LIST, .op = OP_IN, .first = &column, .values = expr->values, .value_count = tuples };
        if (tuples == 1) put_tuple(out, expr, 0);
        else put_list(out, &list);
    } else if (tuples > FEW_TUPLES && out->dialect->array_lists) {
        put_tuple_arrays(out, expr, tuples);
    } else if (out->dialect->tuple_part && fits_json(out, expr)) {
        put_tuple_json(out, expr, tuples);
    } else if (tuples > FEW_TUPLES) {
        put_tuple_list(out, expr, tuples);
    } else {
        put_text(out, tuples > 1 ? "(" : "");
        put_tuples(out, expr, 0, tuples);
        put_text(out, tuples > 1 ? ")" : "");
    }
}
