/* The operator list: id, name in Lua (Op.<name>), shape of the operand, precedence-safe text.
 *
 * In the text \1 is the left operand, \2 the right one (or the list, or the lower bound), \3 the upper bound. A dialect may
 * say another text. Operators without text are rendered by their shape. */
#ifndef LIGA_SQL_OPERATORS_H
#define LIGA_SQL_OPERATORS_H

/* What may stand right of the operator. */
enum operand {
    OPERAND_VALUE,      /* a value of the attribute's type, or an expression */
    OPERAND_TEXT,       /* a pattern: text, or an expression */
    OPERAND_PLAIN,      /* plain text that becomes an escaped pattern */
    OPERAND_LIST,       /* a list of values */
    OPERAND_PAIR,       /* two values */
    OPERAND_NULLITY,    /* liga.null, true, false */
    OPERAND_GROUP,      /* conditions: and_, or_, not_ */
    OPERAND_ROWS,       /* an association: some, every, none */
    OPERAND_ARRAY       /* PostgreSQL arrays and ranges */
};

#define OPERATORS(X)                                                            \
    X(EQ,           "eq",          OPERAND_VALUE,   "\1 = \2")                  \
    X(NE,           "ne",          OPERAND_VALUE,   "\1 <> \2")                 \
    X(GT,           "gt",          OPERAND_VALUE,   "\1 > \2")                  \
    X(GTE,          "gte",         OPERAND_VALUE,   "\1 >= \2")                 \
    X(LT,           "lt",          OPERAND_VALUE,   "\1 < \2")                  \
    X(LTE,          "lte",         OPERAND_VALUE,   "\1 <= \2")                 \
    X(BETWEEN,      "between",     OPERAND_PAIR,    "\1 BETWEEN \2 AND \3")     \
    X(NOT_BETWEEN,  "notBetween",  OPERAND_PAIR,    "\1 NOT BETWEEN \2 AND \3") \
    X(IN,           "in_",         OPERAND_LIST,    0)                          \
    X(NOT_IN,       "notIn",       OPERAND_LIST,    0)                          \
    X(LIKE,         "like",        OPERAND_TEXT,    "\1 LIKE \2")               \
    X(NOT_LIKE,     "notLike",     OPERAND_TEXT,    "\1 NOT LIKE \2")           \
    X(ILIKE,        "iLike",       OPERAND_TEXT,    "\1 ILIKE \2")              \
    X(NOT_ILIKE,    "notILike",    OPERAND_TEXT,    "\1 NOT ILIKE \2")          \
    X(STARTS_WITH,  "startsWith",  OPERAND_PLAIN,   "\1 LIKE \2")               \
    X(ENDS_WITH,    "endsWith",    OPERAND_PLAIN,   "\1 LIKE \2")               \
    X(SUBSTRING,    "substring",   OPERAND_PLAIN,   "\1 LIKE \2")               \
    X(REGEXP,       "regexp",      OPERAND_TEXT,    "\1 ~ \2")                  \
    X(IREGEXP,      "iRegexp",     OPERAND_TEXT,    "\1 ~* \2")                 \
    X(NOT_REGEXP,   "notRegexp",   OPERAND_TEXT,    "\1 !~ \2")                 \
    X(IS,           "is",          OPERAND_NULLITY, "\1 IS \2")                 \
    X(IS_NOT,       "isNot",       OPERAND_NULLITY, "\1 IS NOT \2")             \
    X(NOT,          "not_",        OPERAND_GROUP,   "NOT (\1)")                 \
    X(AND,          "and_",        OPERAND_GROUP,   " AND ")                    \
    X(OR,           "or_",         OPERAND_GROUP,   " OR ")                     \
    X(ANY,          "any",         OPERAND_ARRAY,   0)                          \
    X(ALL,          "all",         OPERAND_ARRAY,   0)                          \
    X(CONTAINS,     "contains",    OPERAND_ARRAY,   "\1 @> \2")                 \
    X(CONTAINED,    "contained",   OPERAND_ARRAY,   "\1 <@ \2")                 \
    X(OVERLAP,      "overlap",     OPERAND_ARRAY,   "\1 && \2")                 \
    X(MATCH,        "match",       OPERAND_ARRAY,   "\1 @@ \2")                 \
    X(SOME,         "some",        OPERAND_ROWS,    0)                          \
    X(EVERY,        "every",       OPERAND_ROWS,    0)                          \
    X(NONE,         "none",        OPERAND_ROWS,    0)

enum op {
#define X(id, name, operand, text) OP_##id,
    OPERATORS(X)
#undef X
    OP_COUNT
};

/* Row of the operator table; Op.* in Lua are userdata that point here. */
struct op_info {
    enum op op;
    const char *name;
    enum operand operand;
    const char *text;
};

extern const struct op_info op_table[OP_COUNT];

#endif
