#include "schema/model.h"

#include <string.h>

#include "base/arena.h"

enum { FIRST_ATTRS = 8, MORE_ATTRS = 8 };

void schema_init(struct schema *schema, struct arena *arena) {
    *schema = (struct schema){ .arena = arena };
    names_init(&schema->names, arena);
    schema->last = &schema->models;
}

static const char *intern(struct schema *schema, const char *name) {
    return name ? names_get(&schema->names, name, strlen(name)) : NULL;
}

struct model *model_new(struct schema *schema, const char *name, const char *table) {
    struct model *model = arena_new(schema->arena, struct model);
    model->schema = schema;
    model->number = ++schema->model_count;
    model->name = intern(schema, name);
    model->table = intern(schema, table);
    *schema->last = model;
    schema->last = &model->next;
    return model;
}

struct model *model_find(const struct schema *schema, const char *name) {
    struct model *model = schema->models;
    while (model && strcmp(model->name, name) != 0) model = model->next;
    return model;
}

/* ------------------------------------------------------------------------------------------------- attributes */

const struct attr *attr_find(const struct model *model, const char *name) {
    for (int i = 0; i < model->attr_count; i++) {
        const struct attr *attr = model->attrs[i];
        if (attr->name[0] == name[0] && strcmp(attr->name, name) == 0) return attr;
    }
    return NULL;
}

const struct attr *attr_of_column(const struct model *model, const char *column) {
    for (int i = 0; i < model->attr_count; i++)
        if (strcmp(model->attrs[i]->column, column) == 0) return model->attrs[i];
    return NULL;
}

static void resize(struct model *model, int size) {
    const struct attr **attrs = arena_array(model->schema->arena, const struct attr *, size);
    if (model->attr_count) memcpy(attrs, model->attrs, sizeof *attrs * (size_t)model->attr_count);
    model->attrs = attrs;
    model->attr_size = size;
}

void model_make_room(struct model *model) {
    if (model->attr_size - model->attr_count < MORE_ATTRS) resize(model, model->attr_count + 2 * MORE_ATTRS);
}

static void append(struct model *model, const struct attr *attr) {
    if (model->attr_count == model->attr_size) resize(model, model->attr_size ? model->attr_size * 2 : FIRST_ATTRS);
    model->attrs[model->attr_count++] = attr;
}

struct attr *attr_put(struct model *model, const struct attr *given) {
    struct attr *attr = (struct attr *)(uintptr_t)attr_find(model, given->name);
    bool fresh = !attr;
    int ordinal = fresh ? model->attr_count : attr->ordinal;
    const char *name = intern(model->schema, given->name), *column = intern(model->schema, given->column);
    if (fresh) attr = arena_new(model->schema->arena, struct attr);
    *attr = *given;                 /* nothing is allocated from here on: the model stays whole when memory is out */
    attr->name = name;
    attr->column = column;
    attr->model = model;
    attr->ordinal = ordinal;
    if (fresh) append(model, attr);
    if (attr->auto_increment) model->auto_key = attr;
    else if (model->auto_key == attr) model->auto_key = NULL;
    model->generation++;
    return attr;
}

void attr_remove(struct model *model, const char *name) {
    const struct attr *attr = attr_find(model, name);
    if (!attr) return;
    model->shape += attr->ordinal + 1 < model->attr_count;
    for (int i = attr->ordinal; i + 1 < model->attr_count; i++) {
        model->attrs[i] = model->attrs[i + 1];
        ((struct attr *)(uintptr_t)model->attrs[i])->ordinal = i;
    }
    model->attr_count--;
    if (model->auto_key == attr) model->auto_key = NULL;
    model->generation++;
}

struct attr_list attr_list_new(struct model *model, const char *const *names, int count) {
    const struct attr **items = arena_array(model->schema->arena, const struct attr *, count ? count : 1);
    for (int i = 0; i < count; i++) items[i] = attr_find(model, names[i]);
    return (struct attr_list){ .items = items, .count = count };
}

void model_set_key(struct model *model, struct attr_list key) {
    for (int i = 0; i < model->key.count; i++) ((struct attr *)(uintptr_t)model->key.items[i])->primary = false;
    for (int i = 0; i < key.count; i++) ((struct attr *)(uintptr_t)key.items[i])->primary = true;
    model->key = key;
    model->generation++;
}

/* ---------------------------------------------------------------------------------------- constraints, indexes */

static struct foreign_key **find_key(struct model *model, struct attr_list attrs) {
    struct foreign_key **link = &model->foreign_keys;
    while (*link && !attrs_same((*link)->attrs, attrs)) link = &(*link)->next;
    return link;
}

/* An ENUM refers to a column of the same type only: the key's attributes take that of what they refer to. `key` NULL: no more. */
static void share_enums(struct attr_list attrs, const struct foreign_key *key) {
    for (int i = 0; i < attrs.count; i++) {
        struct type *type = &((struct attr *)(uintptr_t)attrs.items[i])->type;
        const struct attr *referred = key && key->target ? attr_of_column(key->target, key->columns[i]) : NULL;
        bool same = type->id == TYPE_ENUM && referred && referred->type.id == TYPE_ENUM && referred != attrs.items[i];
        type->enum_shared = !same ? NULL : referred->type.enum_shared ? referred->type.enum_shared : referred->type.enum_name;
    }
}

void model_remove_foreign_key(struct model *model, struct attr_list attrs) {
    struct foreign_key **link = find_key(model, attrs);
    if (*link) *link = (*link)->next;
    share_enums(attrs, NULL);
    model->generation++;
}

void model_add_foreign_key(struct model *model, const struct foreign_key *given) {
    struct foreign_key **link = find_key(model, given->attrs);
    struct foreign_key *next = *link ? (*link)->next : NULL;
    const char *schema = intern(model->schema, given->schema), *table = intern(model->schema, given->table);
    if (!*link) *link = arena_new(model->schema->arena, struct foreign_key);
    **link = *given;
    (*link)->next = next;
    (*link)->schema = schema;
    (*link)->table = table;
    share_enums(given->attrs, given);
    model->generation++;
}

void model_add_index(struct model *model, const struct index *given) {
    struct index **link = &model->indexes;
    while (*link && strcmp((*link)->name, given->name) != 0) link = &(*link)->next;
    struct index *next = *link ? (*link)->next : NULL;
    const char *name = intern(model->schema, given->name);
    *link = arena_copy(model->schema->arena, given, sizeof *given);
    (*link)->next = next;
    (*link)->name = name;
    model->generation++;
}

bool attrs_same(struct attr_list a, struct attr_list b) {
    if (a.count != b.count) return false;
    for (int i = 0; i < a.count; i++)
        if (a.items[i] != b.items[i]) return false;
    return true;
}
