/* A small schema for the tests of the layers above it.
 *
 *     User   users      id*, name, age, balance DECIMAL(20,2), born DATE in mixed forms
 *     Post   posts      id*, title (column "headline"), status, userId (column "user_id", may be NULL), updatedAt
 *     Tag    tags       id*, word, kind
 *     PostTag post_tags postId* tagId*, note
 *     Place  shop.places (schema "shop") shop* shelf*, label
 *
 *     User.posts (hasMany), Post.author (belongsTo), Post.tags (belongsToMany, scope kind = 'post') */
#ifndef LIGA_CTEST_BLOG_H
#define LIGA_CTEST_BLOG_H

#include "base/arena.h"
#include "schema/assoc.h"
#include "sql/expr.h"

struct blog {
    struct arena *arena;
    struct schema schema;
    struct model *user, *post, *tag, *post_tag, *place;
    struct assoc *posts, *author, *tags;
};

static inline struct attr *blog_attr(struct model *model, const char *name, struct attr attr) {
    attr.name = name;
    if (!attr.column) attr.column = name;
    return attr_put(model, &attr);
}

static inline struct attr *blog_nullable(struct model *model, const char *name, struct attr attr) {
    attr.allow_null = true;
    return blog_attr(model, name, attr);
}

/* ATTR(model, "age", .type.id = TYPE_INTEGER): may be NULL; REQUIRED may not. */
#define ATTR(model, name, ...) blog_nullable((model), (name), (struct attr){ __VA_ARGS__ })
#define REQUIRED(model, name, ...) blog_attr((model), (name), (struct attr){ __VA_ARGS__ })

static inline struct attr *blog_text(struct model *model, const char *name) {
    return ATTR(model, name, .type.id = TYPE_TEXT);
}

static inline struct attr_list blog_list(struct model *model, const char *first, const char *second) {
    const char *names[] = { first, second };
    return attr_list_new(model, names, second ? 2 : 1);
}

static inline void blog_generated_id(struct model *model) {
    REQUIRED(model, "id", .type.id = TYPE_BIGINT, .auto_increment = true);
    model_set_key(model, blog_list(model, "id", NULL));
}

/* A foreign key to the `id` of the target. */
static inline void blog_reference(struct model *model, const char *attr, const struct model *target) {
    static const char *const id[] = { "id" };
    struct foreign_key key = {
        .attrs = blog_list(model, attr, NULL), .target = target, .table = target->table, .columns = id,
        .on_delete = "CASCADE", .on_update = "CASCADE",
    };
    model_add_foreign_key(model, &key);
}

static inline void blog_define_users(struct blog *blog) {
    struct model *user = blog->user = model_new(&blog->schema, "User", "users");
    blog_generated_id(user);
    REQUIRED(user, "name", .type = { .id = TYPE_STRING, .length = 40 });
    ATTR(user, "age", .type.id = TYPE_INTEGER);
    ATTR(user, "balance", .type = { .id = TYPE_DECIMAL, .precision = 20, .scale = 2 });
    ATTR(user, "born", .type = { .id = TYPE_DATE, .stored = DATE_MIXED });
}

static inline void blog_define_posts(struct blog *blog) {
    struct model *post = blog->post = model_new(&blog->schema, "Post", "posts");
    blog_generated_id(post);
    ATTR(post, "title", .column = "headline", .type = { .id = TYPE_STRING, .length = 80 });
    ATTR(post, "status", .type = { .id = TYPE_STRING, .length = 10 });
    ATTR(post, "userId", .column = "user_id", .type.id = TYPE_BIGINT);
    post->updated_at = ATTR(post, "updatedAt", .type.id = TYPE_DATE);
    blog_reference(post, "userId", blog->user);
}

static inline void blog_define_tags(struct blog *blog) {
    struct model *tag = blog->tag = model_new(&blog->schema, "Tag", "tags");
    blog_generated_id(tag);
    ATTR(tag, "word", .type.id = TYPE_TEXT);
    ATTR(tag, "kind", .type.id = TYPE_TEXT);
    struct model *post_tag = blog->post_tag = model_new(&blog->schema, "PostTag", "post_tags");
    REQUIRED(post_tag, "postId", .type.id = TYPE_BIGINT);
    REQUIRED(post_tag, "tagId", .type.id = TYPE_BIGINT);
    ATTR(post_tag, "note", .type.id = TYPE_TEXT);
    model_set_key(post_tag, blog_list(post_tag, "postId", "tagId"));
    blog_reference(post_tag, "postId", blog->post);
    blog_reference(post_tag, "tagId", tag);
}

static inline void blog_define_places(struct blog *blog) {
    struct model *place = blog->place = model_new(&blog->schema, "Place", "places");
    place->table_schema = "shop";
    REQUIRED(place, "shop", .type.id = TYPE_INTEGER);
    REQUIRED(place, "shelf", .type.id = TYPE_TEXT);
    ATTR(place, "label", .type.id = TYPE_TEXT);
    model_set_key(place, blog_list(place, "shop", "shelf"));
}

static inline struct assoc *blog_assoc(struct blog *blog, const char *kind, struct assoc given, int hops) {
    struct assoc *assoc = arena_copy(blog->arena, &given, sizeof given);
    assoc->kind = assoc_kind_find(kind, false);
    assoc->hops = arena_array(blog->arena, struct hop, hops);
    assoc->hop_count = hops;
    assoc->hops[hops - 1].next = given.target;
    assoc_put((struct model *)(uintptr_t)given.source, assoc);
    return assoc;
}

static inline void blog_associate(struct blog *blog) {
    struct model *user = blog->user, *post = blog->post, *tag = blog->tag, *post_tag = blog->post_tag;
    blog->posts = blog_assoc(blog, "hasMany", (struct assoc){ .name = "posts", .singular = "post", .plural = "posts",
                                                              .source = user, .target = post }, 1);
    blog->posts->hops[0].near = blog_list(user, "id", NULL);
    blog->posts->hops[0].far = blog_list(post, "userId", NULL);
    blog->author = blog_assoc(
        blog, "belongsTo",
        (struct assoc){ .name = "author", .singular = "author", .plural = "authors", .source = post, .target = user },
        1);
    blog->author->hops[0].near = blog_list(post, "userId", NULL);
    blog->author->hops[0].far = blog_list(user, "id", NULL);
    blog->tags = blog_assoc(blog, "belongsToMany", (struct assoc){ .name = "tags", .singular = "tag", .plural = "tags",
                                                                   .source = post, .target = tag, .unique = true }, 2);
    struct hop *hops = blog->tags->hops;
    hops[0] = (struct hop){ .next = post_tag,
                            .near = blog_list(post, "id", NULL),
                            .far = blog_list(post_tag, "postId", NULL) };
    hops[1].near = blog_list(post_tag, "tagId", NULL);
    hops[1].far = blog_list(tag, "id", NULL);
    struct scope_value *values = arena_array(blog->arena, struct scope_value, 1);
    values[0] = (struct scope_value){ attr_find(tag, "kind"), value_text("post", 4) };
    hops[1].values = values;
    hops[1].value_count = 1;
    hops[1].scope = expr_attr_is(blog->arena, values[0].attr, values[0].value);
}

/* Everything is made in the arena. */
static inline void blog_init(struct blog *blog, struct arena *arena) {
    *blog = (struct blog){ .arena = arena };
    schema_init(&blog->schema, arena);
    blog_define_users(blog);
    blog_define_posts(blog);
    blog_define_tags(blog);
    blog_define_places(blog);
    blog_associate(blog);
}

#endif
