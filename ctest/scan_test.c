/* The SQL lexer. What is read is written as one letter per token:
 *     w word   _ blank   o other   ; semicolon   ? :name as : $1 as 1 $name as $   ! unfinished */
#include "sql/scan.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

enum { SQLITE = 1, POSTGRES = 2, BOTH = 3 };

static const char letters[] = {
    [SQL_OTHER] = 'o', [SQL_WORD] = 'w', [SQL_BLANK] = '_', [SQL_SEMICOLON] = ';', [SQL_QUESTION] = '?',
    [SQL_COLON_NAME] = ':', [SQL_DOLLAR_NUMBER] = '1', [SQL_DOLLAR_NAME] = '$', [SQL_UNFINISHED] = '!',
};

/* The letters of a text. It is scanned in memory of its very size, so that reading beyond its end is noticed. NULL: the
 * tokens do not lie side by side. */
static const char *letters_of(const char *text, size_t len, bool postgres) {
    static char read[256];
    size_t count = 0, end = 0;
    char *copy = malloc(len ? len : 1);
    memcpy(copy, text, len);
    struct sql_scan scan = { .text = copy, .len = len, .dollar_quotes = postgres };
    enum sql_token token;
    bool tiled = true;
    while ((token = sql_next(&scan)) != SQL_END && count < sizeof read - 1) {
        tiled = tiled && scan.start == end && scan.size > 0;
        end = scan.start + scan.size;
        read[count++] = letters[token];
    }
    read[count] = '\0';
    free(copy);
    return tiled && end == len ? read : NULL;
}

static const struct {
    int engines;
    const char *name, *text, *wanted;
} rows[] = {
    { BOTH, "nothing", "", "" },
    { BOTH, "blanks", " \t\r\n", "_" },
    { BOTH, "words and marks", "select a,? from t;", "w_wo?_w_w;" },
    { BOTH, "names hold digits, dollars and letters beyond ASCII", "a1$b \xc3\xa9t\xc3\xa9 _x", "w_w_w" },
    { BOTH, "numbers", "1 1.5 1e5 0xff 1_000 .5", "o_o_o_o_o_oo" },
    { BOTH, "a mark after a number", "1?", "o?" },
    { BOTH, "marks side by side", "(?,?)", "o?o?o" },

    { BOTH, "a string", "'a?:b$1'", "o" },
    { BOTH, "a quote in a string", "'a''?'?", "o?" },
    { BOTH, "an empty string", "''?", "o?" },
    { BOTH, "a backslash is no escape", "'a\\' ?", "o_?" },
    { BOTH, "a string that does not end", "a '?", "w_!" },
    { BOTH, "its last quote is doubled", "'a''", "!" },
    { BOTH, "a quoted name", "\"a?\"\"?\" ?", "o_?" },
    { BOTH, "a quoted name that does not end", "\"a", "!" },
    { POSTGRES, "E'' has escapes", "E'\\'?',?,e'\\\\',?", "oo?ooo?" },
    { POSTGRES, "E'' that ends with an escape", "e'\\", "!" },
    { POSTGRES, "E'' goes on behind the end of a line", "E'a' \n '\\'?'?", "o?" },
    { POSTGRES, "… and behind comments", "E'a'\n--x'\n'\\'?'?", "o?" },
    { POSTGRES, "… not on the same line", "E'a' '\\'?", "o_o?" },
    { POSTGRES, "… but behind a comment on it", "E'a' --x'\n'\\'?'?", "o?" },
    { POSTGRES, "a string without E goes on without escapes", "'a'\n'\\'?", "o_o?" },
    { POSTGRES, "U&'' has no escaped quotes", "U&'\\0061''\\'? U&\"?\" UESCAPE '!'?", "woo?_woo_w_o?" },
    { POSTGRES, "B'' and N''", "b'?' N'?'?", "wo_wo?" },
    { POSTGRES, "a name that ends with e", "name'?'", "wo" },
    { SQLITE, "E'' is a word and a string", "E'\\'?", "wo?" },
    { SQLITE, "x'00'", "x'00'?", "wo?" },
    { SQLITE, "names in brackets and backticks", "[a?] `b``?`?", "o_o?" },
    { SQLITE, "… that do not end", "[a", "!" },
    { SQLITE, "… nor this one", "`a", "!" },
    { POSTGRES, "a subscript", "a[?]", "wo?o" },

    { BOTH, "a line comment", "a -- ? 'x\n?", "w___?" },
    { BOTH, "a line comment at the end", "a--?", "w_" },
    { BOTH, "minus minus in a string", "'--'?", "o?" },
    { BOTH, "one minus", "a - ?", "w_o_?" },
    { POSTGRES, "a line ends with a carriage return", "--a\r?", "__?" },
    { SQLITE, "a line does not end with a carriage return", "--a\r?", "_" },
    { BOTH, "a block comment", "/* ? 'x */?", "_?" },
    { BOTH, "an empty one", "/**/?,/***/?", "_?o_?" },
    { BOTH, "one that does not end", "/* ?", "!" },
    { BOTH, "nor does this one", "/*/", "!" },
    { POSTGRES, "comments in comments", "/* a /* ? */ ? */?", "_?" },
    { POSTGRES, "… of which one does not end", "/* /* */", "!" },
    { SQLITE, "no comments in comments", "/* a /* */?", "_?" },
    { BOTH, "a slash", "a/?", "wo?" },

    { POSTGRES, "dollar quotes", "$$ ? ' $$?", "o?" },
    { POSTGRES, "dollar quotes with a tag", "$a$ $$ $b$ ? $a$?", "o?" },
    { POSTGRES, "a tag with a digit", "$a1$?$a1$", "o" },
    { POSTGRES, "dollar quotes that do not end", "$$ ? $", "!" },
    { POSTGRES, "… with another tag", "$a$ ? $A$", "!" },
    { POSTGRES, "… just so", "$a$$a", "!" },
    { POSTGRES, "a dollar in a name quotes nothing", "a$$?", "w?" },
    { SQLITE, "no dollar quotes", "$$?", "oo?" },
    { BOTH, "numbered parameters", "$1,$23", "1o1" },
    { BOTH, "named parameters", "$a $b1,$_", "$_$o$" },
    { BOTH, "a lone dollar", "$ ", "o_" },
    { BOTH, "at the end", "$", "o" },
    { POSTGRES, "a number is no tag", "$1$ $1$", "1o_1o" },

    { BOTH, "named replacements", ":a,:b_1 (:c)", ":o:_o:o" },
    { BOTH, "a cast", "a::text ?::int", "wow_?ow" },
    { BOTH, "a cast of a parameter", ":a::text", ":ow" },
    { BOTH, "colons that name nothing", "1:2 :", "ooo_o" },
    { BOTH, "an assignment", "a := 1", "w_o_o" },
    { POSTGRES, "operators with a question mark", "a ?| b ?& c @? d", "w_o_w_o_w_o_w" },
    { POSTGRES, "the operator ? before an operand", "a ? 'b' ? E'c' ? $1 ? :d ? ? /* e */ ?(f)", "w_o_o_o_o_o_1_o_:_o_o___oowo" },
    { POSTGRES, "a mark before a cast, a comma, a word", "?::text,? as ?=?", "?owo?_w_?o?" },
    { SQLITE, "a mark before a string", "? 'b'", "?_o" },
    { POSTGRES, "a mark before a concatenation", "?||'%'", "?ooo" },
    { SQLITE, "marks before operators", "?|1 ?&1", "?oo_?oo" },
    { BOTH, "at the end of the text", "a ?", "w_?" },
};

static void test_rows(void) {
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (int engine = SQLITE; engine <= POSTGRES; engine *= 2) {
            if (!(rows[i].engines & engine)) continue;
            const char *read = letters_of(rows[i].text, strlen(rows[i].text), engine == POSTGRES);
            bool right = read && strcmp(read, rows[i].wanted) == 0;
            if (!CHECK(right, "%s (%s)", rows[i].name, engine == SQLITE ? "sqlite" : "postgres"))
                printf("# %s\n", read ? read : "tokens do not lie side by side");
        }
    }
}

static void test_texts(void) {
    struct sql_scan scan = { .text = ":name SELECT $2", .len = 15 };
    sql_next(&scan);
    CHECK(scan.size == 5 && memcmp(sql_token_text(&scan, 1), "name", 4) == 0, "the name without its colon");
    sql_next(&scan), sql_next(&scan);
    CHECK(sql_is_word(&scan, "select") && sql_is_word(&scan, "SELECT"), "a word in any case");
    CHECK(!sql_is_word(&scan, "selec") && !sql_is_word(&scan, "selects"), "the whole word");
    CHECK(letters_of("\0?", 2, true) && strcmp(letters_of("a\0?", 3, false), "wo?") == 0,
          "a NUL is a token like another");
}

/* Every text cut short anywhere is read to its end. */
static void test_cut(void) {
    static const char text[] =
        "SELECT E'\\'', \"a\"\"\", $a$ $a$, /* /* */ */ :a::b, ?|1, $1 -- x\n, [b], `c`, 1.5, @?";
    bool whole = true;
    for (size_t len = 0; len < sizeof text; len++)
        for (size_t from = 0; from <= len; from++)
            whole = whole && letters_of(text + from, len - from, false) && letters_of(text + from, len - from, true);
    CHECK(whole, "a text cut anywhere is read to its end");
}

int main(void) {
    test_rows();
    test_texts();
    test_cut();
    return check_done();
}
