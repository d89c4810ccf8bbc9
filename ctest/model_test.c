/* Models, attributes, keys, constraints, indexes. */
#include "schema/model.h"

#include <stdio.h>
#include <string.h>

#include "blog.h"
#include "check.h"
#include "faults.h"

static struct schema schema;

static struct model *fresh(struct arena *arena) {
    schema_init(&schema, arena);
    return model_new(&schema, "User", "users");
}

static void test_models(struct arena *arena) {
    char name[] = "User";
    schema_init(&schema, arena);
    CHECK(!model_find(&schema, "User"), "an empty schema has no model");
    struct model *user = model_new(&schema, name, "users"), *post = model_new(&schema, "Post", "posts");
    name[0] = 'X';
    CHECK(strcmp(user->name, "User") == 0 && user->schema == &schema, "a model keeps a copy of its name");
    CHECK(model_find(&schema, "User") == user && model_find(&schema, "Post") == post, "models are found by name");
    CHECK(!model_find(&schema, "user") && !model_find(&schema, ""), "others are not");
    CHECK(schema.models == user && user->next == post && !post->next, "in order of definition");
    CHECK(user->key.count == 0 && !user->auto_key && user->attr_count == 0, "a fresh model has nothing");
}

/* -------------------------------------------------------------------------------------------------- attributes */

static void test_attributes(struct arena *arena) {
    struct model *user = fresh(arena);
    struct attr *id = REQUIRED(user, "id", .auto_increment = true), *name = ATTR(user, "name", .column = "user_name");
    CHECK(id->ordinal == 0 && name->ordinal == 1 && user->attrs[1] == name && id->model == user,
          "ordinals follow the order");
    CHECK(strcmp(id->column, "id") == 0 && strcmp(name->column, "user_name") == 0, "the column has its own name");
    CHECK(user->auto_key == id, "the generated key is known");
    CHECK(attr_find(user, "name") == name && !attr_find(user, "nam") && !attr_find(user, "names")
              && !attr_find(user, ""),
          "found by the whole name");
    char long_name[70000];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = '\0';
    CHECK(!attr_find(user, long_name), "a name far longer than any");
}

static void test_replacing(struct arena *arena) {
    struct model *user = fresh(arena);
    struct attr *id = REQUIRED(user, "id", .auto_increment = true);
    ATTR(user, "name", .type.id = TYPE_TEXT);
    unsigned generation = user->generation;
    struct attr *again = REQUIRED(user, "id", .type.id = TYPE_UUID);
    CHECK(again == id && user->attr_count == 2 && id->ordinal == 0 && id->type.id == TYPE_UUID,
          "a new definition takes the place of the old one");
    CHECK(!user->auto_key, "which was the generated key");
    CHECK(user->generation > generation, "and the model is of a new generation");
    CHECK(attr_put(user, again) == again && user->attr_count == 2, "an attribute may be put over itself");
}

static void test_removing(struct arena *arena) {
    struct model *user = fresh(arena);
    static const char *const names[] = { "a", "b", "c" };
    for (int i = 0; i < 3; i++) ATTR(user, names[i], .auto_increment = i == 1);
    unsigned shape = user->shape;
    attr_remove(user, "nothing");
    CHECK(user->shape == shape, "what is not there does not move others");
    attr_remove(user, "b");
    CHECK(user->shape > shape, "those behind it have moved");
    CHECK(user->attr_count == 2 && !attr_find(user, "b") && attr_find(user, "c")->ordinal == 1, "the gap is closed");
    CHECK(!user->auto_key, "the generated key is gone with its attribute");
    CHECK(blog_text(user, "b")->ordinal == 2, "put again, it comes last");
    shape = user->shape;
    attr_remove(user, "b");
    CHECK(user->shape == shape, "nothing moves with the last one");
    int room = attr_room(user);
    model_make_room(user);
    CHECK(attr_room(user) >= room && attr_room(user) > user->attr_count + 8, "there is room for more");
    CHECK(attr_find(user, "c")->ordinal == 1, "and what was there is where it was");
}

static void test_many(struct arena *arena) {
    enum { MANY = 500 };
    struct model *user = fresh(arena);
    struct attr *first = NULL;
    char name[16];
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "a%d", i);
        struct attr *attr = blog_text(user, name);
        if (i == 0) first = attr;
    }
    int wrong = 0;
    for (int i = 0; i < MANY; i++) {
        snprintf(name, sizeof name, "a%d", i);
        wrong += user->attrs[i] != attr_find(user, name) || user->attrs[i]->ordinal != i;
    }
    CHECK(wrong == 0 && user->attrs[0] == first, "500 attributes keep their places");
}

/* --------------------------------------------------------------------------------------------- keys, constraints */

static void test_key(struct arena *arena) {
    struct model *user = fresh(arena);
    const struct attr *shop = blog_text(user, "shop"), *id = blog_text(user, "id");
    model_set_key(user, blog_list(user, "shop", "id"));
    CHECK(user->key.count == 2 && user->key.items[0] == shop && user->key.items[1] == id, "a key of two, in its order");
    CHECK(attr_in_key(shop) && attr_in_key(id), "its attributes know it");
    model_set_key(user, blog_list(user, "id", NULL));
    CHECK(user->key.count == 1 && !attr_in_key(shop) && attr_in_key(id), "another key takes its place");
    model_set_key(user, attr_list_new(user, NULL, 0));
    CHECK(user->key.count == 0 && !attr_in_key(id), "or none");
}

static int count_keys(const struct model *model) {
    int count = 0;
    for (const struct foreign_key *key = model->foreign_keys; key; key = key->next) count++;
    return count;
}

static void test_foreign_keys(struct arena *arena) {
    struct model *user = fresh(arena);
    blog_text(user, "a"), blog_text(user, "b");
    blog_reference(user, "a", user);
    blog_reference(user, "b", user);
    struct foreign_key *first = user->foreign_keys;
    char table[] = "others";
    struct foreign_key other = { .attrs = blog_list(user, "a", NULL), .table = table, .on_delete = "RESTRICT" };
    model_add_foreign_key(user, &other);
    table[0] = 'X';
    CHECK(count_keys(user) == 2 && user->foreign_keys == first && strcmp(first->table, "others") == 0 && !first->target,
          "a key over the same attributes replaces the first");
    other.attrs = blog_list(user, "a", "b");
    model_add_foreign_key(user, &other);
    CHECK(count_keys(user) == 3, "one over more attributes is another");
    model_remove_foreign_key(user, blog_list(user, "b", NULL));
    CHECK(count_keys(user) == 2 && first->next->attrs.count == 2, "one is removed");
    model_remove_foreign_key(user, blog_list(user, "b", "a"));
    CHECK(count_keys(user) == 2, "the order of the attributes tells keys apart");
}

static void test_indexes(struct arena *arena) {
    struct model *user = fresh(arena);
    char name[] = "users_a";
    struct index_field fields[] = { { .attr = blog_text(user, "a") } };
    model_add_index(user, &(struct index){ .name = name, .fields = fields, .field_count = 1 });
    model_add_index(user, &(struct index){ .name = "users_b", .fields = fields, .field_count = 1 });
    name[0] = 'X';
    model_add_index(user, &(struct index){ .name = "users_a", .fields = fields, .field_count = 1, .unique = true });
    const struct index *first = user->indexes;
    CHECK(first->unique && strcmp(first->name, "users_a") == 0, "an index of the same name replaces the first");
    CHECK(first->next && !first->next->unique && !first->next->next, "the other one stays");
}

/* ------------------------------------------------------------------------------------------------------ faults */

static void build(struct arena *arena, void *data) {
    struct blog *blog = data;
    blog_init(blog, arena);
    blog_reference(blog->post, "userId", blog->user);
    attr_remove(blog->post, "status");
    model_remove_foreign_key(blog->post, blog_list(blog->post, "userId", NULL));
    model_add_index(blog->post, &(struct index){ .name = "a" });
}

/* Twenty attributes, one of them put over an old one, and a key and an index put over theirs. */
static void change(struct blog *blog) {
    char name[16], table[] = "strangers", column[] = "full_name", index[] = "again";
    for (int i = 1; i < 20; i++) {
        snprintf(name, sizeof name, "more%d", i);
        blog_text(blog->user, name);
    }
    ATTR(blog->user, "name", .column = column);
    struct foreign_key key = { .attrs = blog_list(blog->post, "userId", NULL), .table = table };
    model_add_foreign_key(blog->post, &key);
    model_add_index(blog->post, &(struct index){ .name = index });
    memset(table, '!', sizeof table - 1);
    memset(column, '!', sizeof column - 1);
    memset(index, '!', sizeof index - 1);
}

/* True if every attribute is in its place and every text is one of the schema's. */
static bool is_whole(const struct model *model) {
    const struct names *names = &model->schema->names;
    for (int i = 0; i < model->attr_count; i++) {
        const struct attr *attr = model->attrs[i];
        if (!attr || attr->ordinal != i || attr->model != model || attr_find(model, attr->name) != attr) return false;
        if (names_find(names, attr->column, strlen(attr->column)) != attr->column) return false;
    }
    for (const struct foreign_key *key = model->foreign_keys; key; key = key->next)
        if (names_find(names, key->table, strlen(key->table)) != key->table) return false;
    for (const struct index *index = model->indexes; index; index = index->next)
        if (names_find(names, index->name, strlen(index->name)) != index->name) return false;
    return true;
}

/* Changes the schema with memory out at one request. False: it came through, there is no such request. */
static bool change_fails(struct blog *blog, unsigned point) {
    blog->arena->fails_in = point;
    if (setjmp(fault_exit) == 0) {
        change(blog);
        blog->arena->fails_in = 0;
        return false;
    }
    return true;
}

/* A schema that ran out of memory in the middle of a change is still whole, and the change can be made again. */
static bool changes_survive(void) {
    bool whole = true, failed = true;
    for (unsigned point = 1; failed && whole; point++) {
        static struct arena arena;
        static struct blog blog;
        arena_init(&arena, fault_happens, NULL);
        blog_init(&blog, &arena);
        failed = change_fails(&blog, point);
        whole = is_whole(blog.user) && is_whole(blog.post);
        change(&blog);
        whole = whole && is_whole(blog.user) && is_whole(blog.post) && blog.user->attr_count == 24;
        arena_free(&arena);
    }
    return whole;
}

int main(void) {
    static void (*const tests[])(struct arena *) = {
        test_models, test_attributes, test_replacing,    test_removing,
        test_many,   test_key,        test_foreign_keys, test_indexes,
    };
    struct arena arena;
    struct blog blog;
    arena_init(&arena, fault_unexpected, NULL);
    for (size_t i = 0; i < sizeof tests / sizeof *tests; i++) tests[i](&arena);
    arena_free(&arena);
    CHECK(survives(build, &blog), "out of memory anywhere leaks nothing");
    CHECK(changes_survive(), "a model is whole after a change that ran out of memory");
    return check_done();
}
