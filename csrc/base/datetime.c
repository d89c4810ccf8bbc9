#include "base/datetime.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define SECOND INT64_C(1000000)                 /* microseconds */
#define DAY (86400 * SECOND)

/* 0001-01-01T00:00:00Z and 10000-01-01T00:00:00Z, seconds since 1970. */
#define FIRST_SECOND INT64_C(-62135596800)
#define END_SECOND INT64_C(253402300800)

struct fields {
    int year, month, day, hour, minute, second, micros;
    int offset;                                 /* minutes east of Greenwich */
};

/* ---------------------------------------------------------------------------------------------------------- days */

static bool is_leap(int year) {
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool day_exists(int year, int month, int day) {
    static const unsigned char lengths[] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    if (year < 1 || month < 1 || month > 12 || day < 1) return false;
    return day <= lengths[month] + (month == 2 && is_leap(year));
}

/* Days since 1970-01-01. Counts in years that begin in March, so that the leap day is the last of its year, and in eras
 * of 400 years (Howard Hinnant, "chrono-compatible low-level date algorithms"). */
static int64_t days_from_civil(int year, int month, int day) {
    int y = year - (month <= 2);
    int era = y / 400, year_of_era = y % 400;
    int day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return (int64_t)era * 146097 + day_of_era - 719468;
}

static void civil_from_days(int64_t days, struct fields *fields) {
    int64_t from_march = days + 719468;         /* since 0000-03-01; not negative in our years */
    int era = (int)(from_march / 146097), day_of_era = (int)(from_march % 146097);
    int year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int month = (5 * day_of_year + 2) / 153;
    fields->day = day_of_year - (153 * month + 2) / 5 + 1;
    fields->month = month < 10 ? month + 3 : month - 9;
    fields->year = era * 400 + year_of_era + (fields->month <= 2);
}

/* ------------------------------------------------------------------------------------------------ fields, instants */

static int64_t micros_from_fields(const struct fields *f) {
    int64_t days = days_from_civil(f->year, f->month, f->day);
    int64_t seconds = days * 86400 + f->hour * 3600 + (f->minute - f->offset) * 60 + f->second;
    return seconds * SECOND + f->micros;
}

static void fields_from_micros(int64_t micros, struct fields *f) {
    int64_t in_day = micros % DAY, days = micros / DAY;
    if (in_day < 0) {
        in_day += DAY;
        days--;
    }
    *f = (struct fields){ .micros = (int)(in_day % SECOND) };
    int seconds = (int)(in_day / SECOND);
    f->hour = seconds / 3600;
    f->minute = seconds / 60 % 60;
    f->second = seconds % 60;
    civil_from_days(days, f);
}

static bool is_in_years(int64_t micros) {
    return micros >= FIRST_SECOND * SECOND && micros < END_SECOND * SECOND;
}

bool datetime_from_integer(int64_t seconds, int64_t *micros) {
    if (seconds < FIRST_SECOND || seconds >= END_SECOND) return false;
    *micros = seconds * SECOND;
    return true;
}

bool datetime_from_real(double seconds, int64_t *micros) {
    if (!(seconds >= (double)FIRST_SECOND && seconds < (double)END_SECOND)) return false;      /* NaN too */
    *micros = (int64_t)llround(seconds * 1000) * 1000;
    return is_in_years(*micros);
}

/* ------------------------------------------------------------------------------------------------------- writing */

static char *put_two(char *out, unsigned number) {
    out[0] = (char)('0' + number / 10);
    out[1] = (char)('0' + number % 10);
    return out + 2;
}

static char *put_three(char *out, unsigned number) {
    *out = (char)('0' + number / 100);
    return put_two(out + 1, number % 100);
}

static char *put_day(char *out, const struct fields *f) {
    out = put_two(put_two(out, (unsigned)f->year / 100), (unsigned)f->year % 100);
    *out++ = '-';
    out = put_two(out, (unsigned)f->month);
    *out++ = '-';
    return put_two(out, (unsigned)f->day);
}

static char *put_time(char *out, const struct fields *f) {
    out = put_two(out, (unsigned)f->hour);
    *out++ = ':';
    out = put_two(out, (unsigned)f->minute);
    *out++ = ':';
    return put_two(out, (unsigned)f->second);
}

/* A point and three digits, or six where three do not hold it. */
static char *put_fraction(char *out, unsigned micros) {
    *out++ = '.';
    out = put_three(out, micros / 1000);
    return micros % 1000 ? put_three(out, micros % 1000) : out;
}

static size_t write_fields(const struct fields *f, char *out) {
    char *at = put_day(out, f);
    *at++ = 'T';
    at = put_fraction(put_time(at, f), (unsigned)f->micros);
    *at++ = 'Z';
    *at = '\0';
    return (size_t)(at - out);
}

size_t datetime_write(int64_t micros, char *out) {
    struct fields fields;
    fields_from_micros(micros, &fields);
    return write_fields(&fields, out);
}

size_t datetime_write_space(int64_t micros, char *out) {
    struct fields fields;
    fields_from_micros(micros, &fields);
    char *at = put_day(out, &fields);
    *at++ = ' ';
    at = put_time(at, &fields);
    if (fields.micros) at = put_fraction(at, (unsigned)fields.micros);
    *at = '\0';
    return (size_t)(at - out);
}

void datetime_now(char *out) {
    struct timespec now;
    timespec_get(&now, TIME_UTC);
    datetime_write((int64_t)now.tv_sec * SECOND + now.tv_nsec / 1000000 * 1000, out);
}

/* -------------------------------------------------------------------------------------------------- fast checks */

/* The canonical text as three words of eight bytes. XOR with the shape makes a digit 0 … 9 and a right mark 0; adding
 * 76 (hex) to a digit's byte, 7F to a mark's byte, sets the high bit of every byte that is more. Bytes below 80 do not
 * carry. */
static bool word_fits(const char *text, const char *shape, const char *room) {
    uint64_t word, wanted, add;
    memcpy(&word, text, sizeof word);
    memcpy(&wanted, shape, sizeof wanted);
    memcpy(&add, room, sizeof add);
    word ^= wanted;
    return (((word + add) | word) & UINT64_C(0x8080808080808080)) == 0;
}

#define D "\x76"
#define M "\x7F"

bool datetime_has_shape(const char *text, size_t len) {
    return len == DATETIME_LEN
        && word_fits(text, "0000-00-", D D D D M D D M)
        && word_fits(text + 8, "00T00:00", D D M D D M D D)
        && word_fits(text + 16, ":00.000Z", M D D M D D D M);
}

#undef D
#undef M

static int two(const char *digits) {
    return (digits[0] - '0') * 10 + (digits[1] - '0');
}

bool datetime_is_canonical(const char *text, size_t len) {
    return datetime_has_shape(text, len) && day_exists(two(text) * 100 + two(text + 2), two(text + 5), two(text + 8))
        && two(text + 11) < 24 && two(text + 14) < 60 && two(text + 17) < 60;
}

/* ------------------------------------------------------------------------------------------------------- reading */

struct cursor {
    const char *at, *end;
};

static bool take(struct cursor *c, char wanted) {
    if (c->at == c->end || *c->at != wanted) return false;
    c->at++;
    return true;
}

static bool next_is_digit(const struct cursor *c) {
    return c->at < c->end && *c->at >= '0' && *c->at <= '9';
}

static bool take_digits(struct cursor *c, int digits, int *number) {
    *number = 0;
    for (int i = 0; i < digits; i++) {
        if (!next_is_digit(c)) return false;
        *number = *number * 10 + (*c->at++ - '0');
    }
    return true;
}

/* `2026-11-22` or `20261122`; *basic says which. */
static bool take_day(struct cursor *c, struct fields *f, bool *basic) {
    if (!take_digits(c, 4, &f->year)) return false;
    *basic = !take(c, '-');
    if (!take_digits(c, 2, &f->month)) return false;
    if (!*basic && !take(c, '-')) return false;
    return take_digits(c, 2, &f->day) && day_exists(f->year, f->month, f->day);
}

/* Digits after the point; those beyond microseconds are cut. */
static bool take_fraction(struct cursor *c, int *micros) {
    int unit = 100000;
    if (!next_is_digit(c)) return false;
    for (; next_is_digit(c); c->at++, unit /= 10) *micros += (*c->at - '0') * unit;
    return true;
}

static bool take_seconds(struct cursor *c, struct fields *f) {
    if (!take_digits(c, 2, &f->second)) return false;
    return !(take(c, '.') || take(c, ',')) || take_fraction(c, &f->micros);
}

/* `09:30[:00[.000]]`, basic: `0930[00[.000]]`. */
static bool take_time(struct cursor *c, struct fields *f, bool basic) {
    if (!take_digits(c, 2, &f->hour)) return false;
    if (!basic && !take(c, ':')) return false;
    if (!take_digits(c, 2, &f->minute)) return false;
    bool more = basic ? next_is_digit(c) : take(c, ':');
    if (more && !take_seconds(c, f)) return false;
    if (f->hour == 24) return f->minute == 0 && f->second == 0 && f->micros == 0;
    return f->hour < 24 && f->minute < 60 && f->second < 60;
}

/* `Z`, `+02`, `+0200`, `+02:00`, or nothing. Sequelize writes a blank before it. */
static bool take_offset(struct cursor *c, int *offset) {
    int hours, minutes = 0;
    if (c->at == c->end) return true;
    take(c, ' ');
    if (take(c, 'Z') || take(c, 'z')) return true;
    bool west = take(c, '-');
    if (!west && !take(c, '+')) return false;
    if (!take_digits(c, 2, &hours)) return false;
    if ((take(c, ':') || next_is_digit(c)) && !take_digits(c, 2, &minutes)) return false;
    *offset = (hours * 60 + minutes) * (west ? -1 : 1);
    return hours < 24 && minutes < 60;
}

static bool read_fields(const char *text, size_t len, struct fields *f) {
    struct cursor c = { text, text + len };
    bool basic;
    *f = (struct fields){ 0 };
    if (!take_day(&c, f, &basic)) return false;
    if (c.at == c.end) return true;
    if (!take(&c, 'T') && !take(&c, ' ') && !take(&c, 't')) return false;
    return take_time(&c, f, basic) && take_offset(&c, &f->offset) && c.at == c.end;
}

/* The canonical text by the places of its digits. */
static int64_t micros_of_canonical(const char *text) {
    const struct fields fields = {
        two(text) * 100 + two(text + 2), two(text + 5), two(text + 8), two(text + 11), two(text + 14), two(text + 17),
        (two(text + 20) * 10 + (text[22] - '0')) * 1000, 0,
    };
    return micros_from_fields(&fields);
}

bool datetime_read(const char *text, size_t len, int64_t *micros) {
    struct fields fields;
    if (datetime_is_canonical(text, len)) {
        *micros = micros_of_canonical(text);
        return true;
    }
    if (!read_fields(text, len, &fields)) return false;
    *micros = micros_from_fields(&fields);
    return is_in_years(*micros);
}

/* The fields of a text in UTC are written as they are: no way over the calendar. */
size_t datetime_canonical(const char *text, size_t len, char *out) {
    struct fields fields;
    if (!read_fields(text, len, &fields)) return 0;
    if (fields.offset == 0 && fields.hour < 24) return write_fields(&fields, out);
    int64_t micros = micros_from_fields(&fields);
    return is_in_years(micros) ? datetime_write(micros, out) : 0;
}

size_t datetime_cut(char *text, size_t len) {
    if (len <= DATETIME_LEN) return len;
    text[DATETIME_LEN - 1] = 'Z';
    text[DATETIME_LEN] = '\0';
    return DATETIME_LEN;
}

/* ------------------------------------------------------------------------------------------------- days and times */

bool dateonly_is_valid(const char *text, size_t len) {
    struct cursor c = { text, text + len };
    struct fields fields;
    bool basic;
    return len == 10 && take_day(&c, &fields, &basic) && !basic;
}

size_t time_canonical(const char *text, size_t len, char *out) {
    struct cursor c = { text, text + len };
    struct fields fields = { 0 };
    if (!take_time(&c, &fields, false) || c.at != c.end || fields.hour == 24) return 0;
    char *at = put_time(out, &fields);
    if (fields.micros) {
        *at++ = '.';
        at = put_three(put_three(at, (unsigned)fields.micros / 1000), (unsigned)fields.micros % 1000);
        while (at[-1] == '0') at--;
    }
    *at = '\0';
    return (size_t)(at - out);
}
