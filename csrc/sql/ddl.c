#include "sql/ddl.h"

#include <stdint.h>
#include <string.h>

#include "base/arena.h"
#include "base/error.h"

static int parameter(const struct type *type, char mark) {
    switch (mark) {
    case 'l': return type->length ? type->length : type->id == TYPE_CHAR ? 1 : STRING_CHARACTERS;
    case 'p': return type->precision;
    default:  return type->scale;
    }
}

/* Types that are made of another one, or that are made for a column. */
static const char *made_type(struct arena *arena, const struct dialect *dialect, const struct type *type) {
    const char *element = type->element ? ddl_type(arena, dialect, type->element) : NULL;
    switch (type->id) {
    case TYPE_ARRAY: return element ? arena_printf(arena, "%s[]", element) : NULL;
    case TYPE_RANGE: return element ? dialect->range[type->element->id] : NULL;
    default:         return type->enum_shared ? type->enum_shared : type->enum_name;
    }
}

const char *ddl_type(struct arena *arena, const struct dialect *dialect, const struct type *type) {
    bool is_made = type->id == TYPE_ARRAY || type->id == TYPE_RANGE || (dialect->enum_types && type->enum_name);
    if (is_made && dialect->type[type->id]) return made_type(arena, dialect, type);
    bool beyond = dialect->decimal_long && type_is_long_decimal(type);
    const char *pattern = beyond ? dialect->decimal_long : dialect->type[type->id];
    if (type->id == TYPE_DECIMAL && !type->precision) return arena_text(arena, pattern, strcspn(pattern, "("));
    if (!pattern || !strchr(pattern, '%')) return pattern;
    struct buf buf;
    buf_init(&buf, arena);
    for (const char *c = pattern; *c; c++) {
        if (*c == '%') buf_addi(&buf, parameter(type, *++c));
        else buf_addc(&buf, *c);
    }
    return buf.text;
}

/* A length would cut longer texts silently, as a cast does. */
const char *ddl_element_type(struct arena *arena, const struct dialect *dialect, const struct type *type) {
    const char *own = dialect->element[type->id], *whole = own ? own : ddl_type(arena, dialect, type);
    if (*whole == '"') return whole;
    return arena_text(arena, whole, strcspn(whole, "("));
}

static void put_attr_names(struct out *out, struct attr_list attrs) {
    put_text(out, " (");
    for (int i = 0; i < attrs.count; i++) {
        if (i) put_text(out, ", ");
        put_name(out, attrs.items[i]->column);
    }
    put_text(out, ")");
}

/* --------------------------------------------------------------------------------------------------- columns */

static bool has_default(const struct attr *attr) {
    return attr->default_kind == DEFAULT_VALUE || attr->default_kind == DEFAULT_SQL;
}

static void put_default_value(struct out *out, const struct attr *attr) {
    struct value value = attr->default_value;
    if (attr->default_kind == DEFAULT_SQL) {
        put_text(out, "(");
        put_expr(out, attr->default_sql);
        put_text(out, ")");
        return;
    }
    type_store(&attr->type, &value, out->arena);
    put_literal(out, value);
}

static void put_default(struct out *out, const struct attr *attr) {
    if (!has_default(attr)) return;
    put_text(out, " DEFAULT ");
    put_default_value(out, attr);
}

static bool auto_key_inline(const struct out *out, const struct attr *attr) {
    return attr->auto_increment && (!out->dialect->inline_auto_key || attr->model->key.count == 1);
}

static void put_column_definition(struct out *out, const struct attr *attr) {
    put_name(out, attr->column);
    put_text(out, " ");
    if (auto_key_inline(out, attr)) {
        put_text(out, out->dialect->auto_key);
        return;
    }
    const char *type = ddl_type(out->arena, out->dialect, &attr->type);
    if (!type) {
        error_set(out->error, out->arena, ERROR_USAGE, "%s.%s: %s has no type %s", attr->model->name, attr->name,
                  out->dialect->name, type_info(attr->type.id)->name);
        return;
    }
    put_text(out, type);
    if (!attr->allow_null || attr->primary) put_text(out, " NOT NULL");
    put_default(out, attr);
}

/* ----------------------------------------------------------------------------------------------- constraints */

bool ddl_key_is_inline(const struct dialect *dialect, const struct model *model) {
    return dialect->inline_auto_key && model->key.count == 1 && model->key.items[0]->auto_increment;
}

static void put_action(struct out *out, const char *event, const char *action) {
    if (!action) return;
    put_text(out, event);
    put_text(out, action);
}

static void put_foreign_key(struct out *out, const struct foreign_key *key) {
    static const char *const deferrable[] = {
        [DEFERRABLE_NOT] = "",
        [DEFERRABLE_IMMEDIATE] = " DEFERRABLE INITIALLY IMMEDIATE",
        [DEFERRABLE_DEFERRED] = " DEFERRABLE INITIALLY DEFERRED",
    };
    put_text(out, "FOREIGN KEY");
    put_attr_names(out, key->attrs);
    put_text(out, " REFERENCES ");
    if (key->target) put_table(out, key->target);
    else put_table_name(out, key->schema, key->table);
    put_text(out, " (");
    for (int i = 0; i < key->attrs.count; i++) {
        if (i) put_text(out, ", ");
        put_name(out, key->columns[i]);
    }
    put_text(out, ")");
    put_action(out, " ON DELETE ", key->on_delete);
    put_action(out, " ON UPDATE ", key->on_update);
    put_text(out, deferrable[key->deferrable]);
}

static bool is_late(const struct foreign_key *key, const struct foreign_key *const *late, int late_count) {
    for (int i = 0; i < late_count; i++)
        if (late[i] == key) return true;
    return false;
}

/* ------------------------------------------------------------------------------------------------- statements */

struct statement *ddl_create_table(struct arena *arena, const struct dialect *dialect, const struct model *model,
                                   bool if_not_exists, const struct foreign_key *const *late, int late_count,
                                   struct error *error) {
    struct out out;
    out_init(&out, arena, dialect, error);
    out.literals = true;
    put_text(&out, if_not_exists ? "CREATE TABLE IF NOT EXISTS " : "CREATE TABLE ");
    put_table(&out, model);
    put_text(&out, " (");
    for (int i = 0; i < model->attr_count; i++) {
        if (i) put_text(&out, ", ");
        put_column_definition(&out, model->attrs[i]);
    }
    if (model->key.count && !ddl_key_is_inline(dialect, model)) {
        put_text(&out, ", PRIMARY KEY");
        put_attr_names(&out, model->key);
    }
    for (const struct foreign_key *key = model->foreign_keys; key; key = key->next)
        if (!is_late(key, late, late_count)) {
            put_text(&out, ", ");
            put_foreign_key(&out, key);
        }
    put_text(&out, ")");
    out.one_off = true;
    return out_finish(&out, STATEMENT_SCHEMA);
}

struct statement *ddl_drop_table(struct arena *arena, const struct dialect *dialect, const struct model *model,
                                 struct error *error) {
    struct out out;
    out_init(&out, arena, dialect, error);
    out.literals = true;
    put_text(&out, "DROP TABLE IF EXISTS ");
    put_table(&out, model);
    out.one_off = true;
    return out_finish(&out, STATEMENT_SCHEMA);
}

const char *ddl_foreign_key_name(struct arena *arena, const struct model *model, const struct foreign_key *key) {
    enum { LONGEST = 63, KEPT = 54 };
    struct buf name;
    uint32_t hash = 2166136261u;
    buf_init(&name, arena);
    buf_adds(&name, model->table);
    for (int i = 0; i < key->attrs.count; i++) buf_addf(&name, "_%s", key->attrs.items[i]->column);
    buf_adds(&name, "_fkey");
    if (name.len <= LONGEST) return name.text;
    for (const char *c = name.text; *c; c++) hash = (hash ^ (unsigned char)*c) * 16777619u;
    size_t kept = KEPT;
    while (kept && ((unsigned char)name.text[kept] & 0xC0) == 0x80) kept--;        /* no half of a character */
    return arena_printf(arena, "%.*s_%08x", (int)kept, name.text, hash);
}

/* The statement written so far as one that does nothing where what it makes is there already: PostgreSQL has no IF NOT EXISTS for
 * constraints and types. Names and values in it may hold any text, so the tag of the quotes is one that it does not hold. */
static struct statement *unless_there(const struct out *made) {
    const char *tag = "$liga$";
    for (int i = 1; strstr(made->buf.text, tag); i++) tag = arena_printf(made->arena, "$liga%d$", i);
    struct out out;
    out_init(&out, made->arena, made->dialect, made->error);
    buf_addf(&out.buf, "DO %s BEGIN ", tag);
    buf_add(&out.buf, made->buf.text, made->buf.len);
    buf_addf(&out.buf, "; EXCEPTION WHEN duplicate_object THEN NULL; END %s", tag);
    out.one_off = true;
    return out_finish(&out, STATEMENT_SCHEMA);
}

struct statement *ddl_add_foreign_key(struct arena *arena, const struct dialect *dialect, const struct model *model,
                                      const struct foreign_key *key, struct error *error) {
    struct out out;
    out_init(&out, arena, dialect, error);
    put_text(&out, "ALTER TABLE ");
    put_table(&out, model);
    put_text(&out, " ADD CONSTRAINT ");
    put_name(&out, ddl_foreign_key_name(arena, model, key));
    put_text(&out, " ");
    put_foreign_key(&out, key);
    return unless_there(&out);
}

struct statement *ddl_drop_foreign_key(struct arena *arena, const struct dialect *dialect, const struct model *model,
                                       const struct foreign_key *key, struct error *error) {
    struct out out;
    out_init(&out, arena, dialect, error);
    put_text(&out, "ALTER TABLE IF EXISTS ");
    put_table(&out, model);
    put_text(&out, " DROP CONSTRAINT IF EXISTS ");
    put_name(&out, ddl_foreign_key_name(arena, model, key));
    out.one_off = true;
    return out_finish(&out, STATEMENT_SCHEMA);
}

static void put_index_field(struct out *out, const struct index_field *field) {
    if (field->attr) {
        put_name(out, field->attr->column);
        return;
    }
    put_text(out, "(");
    put_expr(out, field->expr);
    put_text(out, ")");
}

struct statement *ddl_create_index(struct arena *arena, const struct dialect *dialect, const struct model *model,
                                   const struct index *index, struct error *error) {
    struct out out;
    out_init(&out, arena, dialect, error);
    out.literals = true;
    put_text(&out, index->unique ? "CREATE UNIQUE INDEX IF NOT EXISTS " : "CREATE INDEX IF NOT EXISTS ");
    put_name(&out, index->name);
    put_text(&out, " ON ");
    put_table(&out, model);
    if (index->using && dialect->schemas) {
        put_text(&out, " USING ");
        put_name(&out, index->using);
    }
    put_text(&out, " (");
    for (int i = 0; i < index->field_count; i++) {
        if (i) put_text(&out, ", ");
        put_index_field(&out, &index->fields[i]);
        if (index->fields[i].descending) put_text(&out, " DESC");
    }
    put_text(&out, ")");
    if (index->where) {
        put_text(&out, " WHERE ");
        put_expr(&out, index->where);
    }
    out.one_off = true;
    return out_finish(&out, STATEMENT_SCHEMA);
}

/* The ENUM of an attribute, also as the elements of an array; NULL: it has none. */
static const struct type *enum_of(const struct attr *attr) {
    const struct type *type = &attr->type;
    while (type->element) type = type->element;
    return type->id == TYPE_ENUM ? type : NULL;
}

struct statement *ddl_create_enum(struct arena *arena, const struct dialect *dialect, const struct attr *attr,
                                  struct error *error) {
    const struct type *type = enum_of(attr);
    struct out out;
    if (!dialect->enum_types || !type) return NULL;
    out_init(&out, arena, dialect, error);
    put_text(&out, "CREATE TYPE ");
    put_text(&out, type->enum_shared ? type->enum_shared : type->enum_name);
    for (int i = 0; i < type->value_count; i++) {
        put_text(&out, i ? ", " : " AS ENUM (");
        put_literal(&out, value_text(type->values[i], strlen(type->values[i])));
    }
    put_text(&out, ")");
    return unless_there(&out);
}

struct statement *ddl_drop_enum(struct arena *arena, const struct dialect *dialect, const struct attr *attr,
                                struct error *error) {
    const struct type *type = enum_of(attr);
    struct out out;
    if (!dialect->enum_types || !type || type->enum_shared || type->enum_kept) return NULL;
    out_init(&out, arena, dialect, error);
    put_text(&out, "DROP TYPE IF EXISTS ");
    put_text(&out, type->enum_name);
    out.one_off = true;
    return out_finish(&out, STATEMENT_SCHEMA);
}

struct statement *ddl_create_extension(struct arena *arena, const struct dialect *dialect, const struct attr *attr,
                                       struct error *error) {
    const struct type *type = &attr->type;
    struct out out;
    while (type->element) type = type->element;
    if (!dialect->extension[type->id]) return NULL;
    out_init(&out, arena, dialect, error);
    put_text(&out, "CREATE EXTENSION IF NOT EXISTS ");
    put_text(&out, dialect->extension[type->id]);
    out.one_off = true;
    return out_finish(&out, STATEMENT_SCHEMA);
}

struct statement *ddl_comment(struct arena *arena, const struct dialect *dialect, const struct model *model,
                              const struct attr *attr, struct error *error) {
    const char *comment = attr ? attr->comment : model->comment;
    struct out out;
    if (!dialect->comments || !comment) return NULL;
    out_init(&out, arena, dialect, error);
    put_text(&out, attr ? "COMMENT ON COLUMN " : "COMMENT ON TABLE ");
    put_table(&out, model);
    if (attr) {
        put_text(&out, ".");
        put_name(&out, attr->column);
    }
    put_text(&out, " IS ");
    put_literal(&out, value_text(comment, strlen(comment)));
    out.one_off = true;
    return out_finish(&out, STATEMENT_SCHEMA);
}

/* ------------------------------------------------------------------------------------------------------ parts */

static struct out open_part(struct arena *arena, const struct dialect *dialect, struct error *error) {
    struct out out;
    out_init(&out, arena, dialect, error);
    out.literals = true;
    return out;
}

static const char *close_part(const struct out *out) {
    return error_is_set(out->error) ? NULL : out->buf.text;
}

const char *ddl_column(struct arena *arena, const struct dialect *dialect, const struct attr *attr, struct error *error) {
    struct out out = open_part(arena, dialect, error);
    put_column_definition(&out, attr);
    return close_part(&out);
}

const char *ddl_default(struct arena *arena, const struct dialect *dialect, const struct attr *attr, struct error *error) {
    if (!has_default(attr)) return NULL;
    struct out out = open_part(arena, dialect, error);
    put_default_value(&out, attr);
    return close_part(&out);
}

const char *ddl_foreign_key(struct arena *arena, const struct dialect *dialect, const struct foreign_key *key,
                            struct error *error) {
    struct out out = open_part(arena, dialect, error);
    put_foreign_key(&out, key);
    return close_part(&out);
}

const char *ddl_condition(struct arena *arena, const struct dialect *dialect, const struct expr *condition, struct error *error) {
    struct out out = open_part(arena, dialect, error);
    put_expr(&out, condition);
    return close_part(&out);
}

const char *ddl_table_name(struct arena *arena, const struct dialect *dialect, const struct model *model) {
    struct error error = { .code = ERROR_NONE };
    struct out out = open_part(arena, dialect, &error);
    put_table(&out, model);
    return out.buf.text;
}

struct statement *ddl_truncate(struct arena *arena, const struct dialect *dialect, const struct model *model, bool restart,
                               bool cascade, struct error *error) {
    struct out out;
    out_init(&out, arena, dialect, error);
    put_text(&out, dialect->truncate);
    put_table(&out, model);
    if (restart && dialect->truncate_restart) put_text(&out, dialect->truncate_restart);
    if (cascade && dialect->truncate_cascade) put_text(&out, dialect->truncate_cascade);
    return out_finish(&out, STATEMENT_WRITE);
}

struct statement *ddl_restart(struct arena *arena, const struct dialect *dialect, const struct model *model,
                              struct error *error) {
    if (!dialect->sequences || !model->auto_key) return NULL;
    struct out out;
    out_init(&out, arena, dialect, error);
    out.literals = true;
    put_text(&out, "DELETE FROM ");
    put_name(&out, dialect->sequences);
    put_text(&out, " WHERE name = ");
    put_literal(&out, value_text(model->table, strlen(model->table)));
    return out_finish(&out, STATEMENT_WRITE);
}
