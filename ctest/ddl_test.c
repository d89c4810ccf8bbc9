/* CREATE TABLE, CREATE INDEX, DROP TABLE; column types. */
#include "sql/ddl.h"

#include <math.h>

#include "cases.h"

#define STATEMENT(name) \
    static struct statement *name(struct blog *blog, const struct dialect *dialect, struct error *error)

/* A fresh model "Thing" whose columns are what a case is about. */
static struct model *thing(struct blog *blog) {
    return model_new(&blog->schema, "Thing", "things");
}

static struct statement *create(struct blog *blog, const struct dialect *dialect, const struct model *model,
                                struct error *error) {
    return ddl_create_table(blog->arena, dialect, model, false, NULL, 0, error);
}

/* ------------------------------------------------------------------------------------------------------ tables */

STATEMENT(users) { return ddl_create_table(blog->arena, dialect, blog->user, true, NULL, 0, error); }
STATEMENT(links) { return ddl_create_table(blog->arena, dialect, blog->post_tag, true, NULL, 0, error); }
STATEMENT(drop)  { return ddl_drop_table(blog->arena, dialect, blog->place, error); }

STATEMENT(late) {
    const struct foreign_key *late[] = { blog->post_tag->foreign_keys };
    return ddl_create_table(blog->arena, dialect, blog->post_tag, true, late, 1, error);
}

/* A generated key that is only part of the primary key. */
STATEMENT(generated_part) {
    struct model *model = thing(blog);
    REQUIRED(model, "shop", .type.id = TYPE_INTEGER);
    REQUIRED(model, "id", .type.id = TYPE_BIGINT, .auto_increment = true);
    model_set_key(model, blog_list(model, "shop", "id"));
    return create(blog, dialect, model, error);
}

STATEMENT(no_key) {
    struct model *model = thing(blog);
    blog_text(model, "a\"b");
    return create(blog, dialect, model, error);
}

/* A key of two parts to a table that no model knows, deferred, without actions. */
STATEMENT(foreign_key) {
    static const char *const columns[] = { "x", "y" };
    struct model *model = thing(blog);
    blog_text(model, "a"), blog_text(model, "b");
    struct foreign_key key = { .attrs = blog_list(model, "a", "b"), .table = "elsewhere", .columns = columns,
                               .on_update = "SET NULL", .deferrable = DEFERRABLE_DEFERRED };
    model_add_foreign_key(model, &key);
    key.attrs = blog_list(model, "b", NULL);
    key.target = blog->place;
    key.on_delete = "CASCADE";
    key.deferrable = DEFERRABLE_IMMEDIATE;
    model_add_foreign_key(model, &key);
    return create(blog, dialect, model, error);
}

STATEMENT(no_such_type) {
    struct model *model = thing(blog);
    ATTR(model, "tags", .type.id = TYPE_VIRTUAL);
    ATTR(model, "more", .type.id = TYPE_VIRTUAL);
    return create(blog, dialect, model, error);
}

/* ---------------------------------------------------------------------------------------------------- defaults */

STATEMENT(defaults) {
    static const struct value values[] = {
        { .kind = VALUE_NULL },
        { .kind = VALUE_BOOL, .as.boolean = true },
        { .kind = VALUE_INT, .as.integer = INT64_MIN },
        { .kind = VALUE_REAL, .as.real = 0.1 },
        { .kind = VALUE_TEXT, .len = 4, .as.text = "it's" },
        { .kind = VALUE_BLOB, .len = 3, .as.text = "\0'\xff" },
    };
    static const enum type_id types[] = { TYPE_TEXT, TYPE_BOOLEAN, TYPE_BIGINT, TYPE_DOUBLE, TYPE_TEXT, TYPE_BLOB };
    struct model *model = thing(blog);
    char name[] = "a";
    for (int i = 0; i < 6; i++, name[0]++)
        ATTR(model, name, .type.id = types[i], .default_kind = DEFAULT_VALUE, .default_value = values[i]);
    ATTR(model, "made", .type.id = TYPE_TEXT, .default_kind = DEFAULT_UUID4);
    return create(blog, dialect, model, error);
}

STATEMENT(infinities) {
    struct model *model = thing(blog);
    ATTR(model, "a", .type.id = TYPE_DOUBLE, .default_kind = DEFAULT_VALUE, .default_value = value_real(-HUGE_VAL));
    return create(blog, dialect, model, error);
}

/* The database evaluates it; DDL takes no parameters. */
STATEMENT(default_sql) {
    struct model *model = thing(blog);
    struct expr *lower = expr_new(blog->arena, EXPR_FUNCTION);
    lower->text = "lower";
    lower->first = expr_param(blog->arena, value_text("A'", 2));
    ATTR(model, "a", .type.id = TYPE_TEXT, .default_kind = DEFAULT_SQL, .default_sql = lower);
    return create(blog, dialect, model, error);
}

/* ----------------------------------------------------------------------------------------------------- indexes */

static struct index *posts_index(struct blog *blog) {
    struct index *index = arena_new(blog->arena, struct index);
    index->name = "posts_x";
    index->fields = arena_array(blog->arena, struct index_field, 2);
    index->fields[0].attr = attr_find(blog->post, "title");
    index->fields[1] = (struct index_field){ .attr = attr_find(blog->post, "userId"), .descending = true };
    index->field_count = 2;
    return index;
}

STATEMENT(plain_index) {
    struct index *index = posts_index(blog);
    index->using = "btree";
    return ddl_create_index(blog->arena, dialect, blog->post, index, error);
}

STATEMENT(partial_index) {
    struct index *index = posts_index(blog);
    struct value statuses[] = { value_text("open", 4), value_text("it's", 4) };
    index->unique = true;
    index->field_count = 1;
    index->where = expr_list(blog->arena, OP_IN, expr_column(blog->arena, attr_find(blog->post, "status"), ALIAS_HERE),
                             statuses, 2);
    if (dialect == &dialect_postgres)
        index->where = expr_attr_is(blog->arena, attr_find(blog->post, "status"), statuses[1]);
    return ddl_create_index(blog->arena, dialect, blog->post, index, error);
}

#define TO(table, column) "FOREIGN KEY (`" column "`) REFERENCES `" table "` (`id`) ON DELETE CASCADE ON UPDATE CASCADE"

static const struct sql_case cases[] = {
    { "a table with a generated key", users,
      "CREATE TABLE IF NOT EXISTS `users` (`id` INTEGER PRIMARY KEY AUTOINCREMENT, `name` VARCHAR(40) NOT NULL,"
      " `age` INTEGER, `balance` DECIMAL_TEXT(20,2), `born` DATETIME)",
      "CREATE TABLE IF NOT EXISTS `users` (`id` BIGINT GENERATED BY DEFAULT AS IDENTITY, `name` VARCHAR(40) NOT NULL,"
      " `age` INTEGER, `balance` NUMERIC(20,2), `born` TIMESTAMPTZ(3), PRIMARY KEY (`id`))" },
    { "a composite key, foreign keys", links,
      "CREATE TABLE IF NOT EXISTS `post_tags` (`postId` BIGINT NOT NULL, `tagId` BIGINT NOT NULL, `note` TEXT,"
      " PRIMARY KEY (`postId`, `tagId`), " TO("posts", "postId") ", " TO("tags", "tagId") ")",
      NULL },
    { "a late key is left out", late,
      "CREATE TABLE IF NOT EXISTS `post_tags` (`postId` BIGINT NOT NULL, `tagId` BIGINT NOT NULL, `note` TEXT,"
      " PRIMARY KEY (`postId`, `tagId`), " TO("tags", "tagId") ")",
      NULL },
    { "a generated part of a key", generated_part,
      "CREATE TABLE `things` (`shop` INTEGER NOT NULL, `id` BIGINT NOT NULL, PRIMARY KEY (`shop`, `id`))",
      "CREATE TABLE `things` (`shop` INTEGER NOT NULL, `id` BIGINT GENERATED BY DEFAULT AS IDENTITY,"
      " PRIMARY KEY (`shop`, `id`))" },
    { "a table without key", no_key, "CREATE TABLE `things` (`a``b` TEXT)", NULL },
    { "foreign keys", foreign_key,
      "CREATE TABLE `things` (`a` TEXT, `b` TEXT,"
      " FOREIGN KEY (`a`, `b`) REFERENCES `elsewhere` (`x`, `y`) ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED,"
      " FOREIGN KEY (`b`) REFERENCES `places` (`x`) ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY "
      "IMMEDIATE)",
      "CREATE TABLE `things` (`a` TEXT, `b` TEXT,"
      " FOREIGN KEY (`a`, `b`) REFERENCES `elsewhere` (`x`, `y`) ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED,"
      " FOREIGN KEY (`b`) REFERENCES `shop`.`places` (`x`) ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY "
      "IMMEDIATE)" },
    { "a type the engine does not have", no_such_type, "error: Thing.tags: sqlite has no type VIRTUAL",
      "error: Thing.tags: postgres has no type VIRTUAL" },
    { "defaults", defaults,
      "CREATE TABLE `things` (`a` TEXT DEFAULT NULL, `b` BOOLEAN DEFAULT TRUE, `c` BIGINT DEFAULT -9223372036854775808,"
      " `d` DOUBLE PRECISION DEFAULT 0.1, `e` TEXT DEFAULT 'it''s', `f` BLOB DEFAULT X'0027ff', `made` TEXT)",
      "CREATE TABLE `things` (`a` TEXT DEFAULT NULL, `b` BOOLEAN DEFAULT TRUE, `c` BIGINT DEFAULT -9223372036854775808,"
      " `d` DOUBLE PRECISION DEFAULT 0.1, `e` TEXT DEFAULT 'it''s', `f` BYTEA DEFAULT '\\x0027ff', `made` TEXT)" },
    { "infinities", infinities, "CREATE TABLE `things` (`a` DOUBLE PRECISION DEFAULT -9e999)",
      "CREATE TABLE `things` (`a` DOUBLE PRECISION DEFAULT '-Infinity')" },
    { "a default of the database", default_sql, "CREATE TABLE `things` (`a` TEXT DEFAULT (lower('A''')))", NULL },
    { "an index", plain_index, "CREATE INDEX IF NOT EXISTS `posts_x` ON `posts` (`headline`, `user_id` DESC)",
      "CREATE INDEX IF NOT EXISTS `posts_x` ON `posts` USING `btree` (`headline`, `user_id` DESC)" },
    { "a partial unique index", partial_index,
      "CREATE UNIQUE INDEX IF NOT EXISTS `posts_x` ON `posts` (`headline`) WHERE `status` IN ('open', 'it''s')",
      "CREATE UNIQUE INDEX IF NOT EXISTS `posts_x` ON `posts` (`headline`) WHERE `status` = 'it''s'" },
    { "drop", drop, "DROP TABLE IF EXISTS `places`", "DROP TABLE IF EXISTS `shop`.`places`" },
};

/* ------------------------------------------------------------------------------------------------------- types */

static const struct {
    struct type type;
    const char *sqlite, *postgres;
} types[] = {
    { { .id = TYPE_STRING }, "VARCHAR(255)", "VARCHAR(255)" },
    { { .id = TYPE_STRING, .length = 7 }, "VARCHAR(7)", "VARCHAR(7)" },
    { { .id = TYPE_CHAR }, "CHAR(1)", "CHAR(1)" },
    { { .id = TYPE_DECIMAL }, "DECIMAL_TEXT", "NUMERIC" },
    { { .id = TYPE_DECIMAL, .precision = 15, .scale = 15 }, "DECIMAL(15,15)", "NUMERIC(15,15)" },
    { { .id = TYPE_DECIMAL, .precision = 16, .scale = 2 }, "DECIMAL_TEXT(16,2)", "NUMERIC(16,2)" },
    { { .id = TYPE_JSONB }, "TEXT", "JSONB" },
    { { .id = TYPE_CITEXT }, NULL, "CITEXT" },
    { { .id = TYPE_VIRTUAL }, NULL, NULL },
};

static bool is(const char *text, const char *expected) {
    return text && expected ? strcmp(text, expected) == 0 : text == expected;
}

static void test_types(void) {
    struct arena arena;
    arena_init(&arena, fault_unexpected, NULL);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        CHECK(is(ddl_type(&arena, &dialect_sqlite, &types[i].type), types[i].sqlite)
              && is(ddl_type(&arena, &dialect_postgres, &types[i].type), types[i].postgres),
              "%s", type_text(&types[i].type, &arena));
    }
    arena_free(&arena);
}

static void test_kind(void) {
    struct arena arena;
    struct blog blog;
    struct error error = { 0 };
    arena_init(&arena, fault_unexpected, NULL);
    blog_init(&blog, &arena);
    struct statement *statement = users(&blog, &dialect_sqlite, &error);
    CHECK(statement->kind == STATEMENT_SCHEMA && statement->one_off && !statement->param_count,
          "DDL is a schema statement, not worth a place in the cache");
    arena_free(&arena);
}

int main(void) {
    RUN_CASES(cases);
    test_types();
    test_kind();
    return check_done();
}
