/* SPDX-License-Identifier: MIT */
/*
 * A double is mantissa * 2^power. Going from decimal and back is exact with whole numbers of any
 * length: those here hold the longest that a double needs, 2547 bits.
 */
#include "base/number.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"

enum {
    WORDS = 84,
    MANTISSA_BITS = 52, /* as stored; one more is implied */
    BIAS = 1023,
    LEAST_POWER = -1074, /* of the last bit of the smallest numbers */
    MOST_EXPONENT = 400, /* decimal, beyond which a number is 0 or too great */
    DIGITS_READ = 19,    /* that fit into 64 bits */
    DIGITS_MOST = 800,
    CHUNK = 1000000000, /* nine digits at a time */
    CHUNK_DIGITS = 9,
};

struct big {
    uint32_t word[WORDS]; /* the least one first */
    unsigned count;
};

static void
big_set(struct big *big, uint64_t value)
{
    big->count = 0;
    for (; value; value >>= 32) {
        big->word[big->count++] = (uint32_t)value;
    }
}

static void
big_multiply(struct big *big, uint32_t factor)
{
    uint64_t carry = 0;
    for (unsigned i = 0; i < big->count; i++) {
        carry += (uint64_t)big->word[i] * factor;
        big->word[i] = (uint32_t)carry;
        carry >>= 32;
    }
    if (carry && big->count < WORDS) {
        big->word[big->count++] = (uint32_t)carry;
    }
}

/* Returns the remainder. */
static uint32_t
big_divide(struct big *big, uint32_t divisor)
{
    uint64_t rest = 0;
    for (unsigned i = big->count; i-- > 0;) {
        rest = rest << 32 | big->word[i];
        big->word[i] = (uint32_t)(rest / divisor);
        rest %= divisor;
    }
    while (big->count && big->word[big->count - 1] == 0) {
        big->count--;
    }
    return (uint32_t)rest;
}

static void
big_shift_left(struct big *big, unsigned bits)
{
    for (; bits >= 31; bits -= 31) {
        big_multiply(big, UINT32_C(1) << 31);
    }
    big_multiply(big, UINT32_C(1) << bits);
}

static void
big_multiply_power(struct big *big, uint32_t base, unsigned power)
{
    for (; power; power--) {
        big_multiply(big, base);
    }
}

/* ---- reading ---- */

/* digits * 10^exponent */
struct decimal {
    uint64_t digits;
    long exponent;
    bool more; /* there were further digits, not all of them 0 */
};

static const char *
read_digits(const char *at, struct decimal *decimal, unsigned *count, bool fraction)
{
    for (; ascii_is_digit(*at); at++) {
        if (*count < DIGITS_READ) {
            decimal->digits = decimal->digits * 10 + (uint64_t)(*at - '0');
            *count += decimal->digits != 0;
            decimal->exponent -= fraction;
        } else {
            decimal->more |= *at != '0';
            decimal->exponent += !fraction;
        }
    }
    return at;
}

/* What follows the digits, if it is an exponent. */
static const char *
read_exponent(const char *text, long *exponent)
{
    const char *at = text;
    if (*at != 'e' && *at != 'E') {
        return text;
    }
    at++;
    const bool negative = *at == '-';
    at += *at == '-' || *at == '+';
    if (!ascii_is_digit(*at)) {
        return text;
    }
    long read = 0;
    for (; ascii_is_digit(*at); at++) {
        read = read < 100000 ? read * 10 + (*at - '0') : read;
    }
    *exponent += negative ? -read : read;
    return at;
}

/* The bits of the double nearest to top * 2^power, ties to even. top's highest bit is set. below: a
 * little more than that. */
static uint64_t
round_to_bits(uint64_t top, long power, bool below)
{
    /* the last bit that is kept is worth 2^least */
    const long least = power + 11 > LEAST_POWER ? power + 11 : LEAST_POWER;
    const long cut = least - power;
    if (cut > 64) {
        return 0;
    }
    uint64_t kept = cut < 64 ? top >> cut : 0;
    const uint64_t half = UINT64_C(1) << (cut - 1);
    const uint64_t rest = cut < 64 ? top & (half * 2 - 1) : top;
    if (rest > half || (rest == half && (below || kept & 1))) {
        kept++;
    }
    /* the implied bit, and a carry into it, count the exponent up */
    return ((uint64_t)(least - LEAST_POWER) << MANTISSA_BITS) + kept;
}

/* The first 64 bits; *power: of the last one of them. *below: also when bits behind them are set.
 */
static uint64_t
big_top(const struct big *big, long *power, bool *below)
{
    unsigned length = big->count * 32;
    while (!(big->word[(length - 1) / 32] >> (length - 1) % 32 & 1)) {
        length--;
    }
    uint64_t top = 0;
    for (unsigned i = length; i-- > 0;) {
        const bool bit = big->word[i / 32] >> i % 32 & 1;
        if (length - i <= 64) {
            top |= (uint64_t)bit << (64 - (length - i));
        } else {
            *below |= bit;
        }
    }
    *power += (long)length - 64;
    return top;
}

static uint64_t
to_bits(const struct decimal *decimal)
{
    struct big big;
    long power = 0;
    bool below = decimal->more;
    if (decimal->digits == 0) {
        return 0;
    }
    big_set(&big, decimal->digits);
    if (decimal->exponent >= 0) {
        big_multiply_power(&big, 10, (unsigned)decimal->exponent);
    } else {
        /* as many bits more as the division takes away, and 64 that stay */
        const unsigned tenths = (unsigned)-decimal->exponent;
        const unsigned bits = 64 + tenths * 10 / 3 + 1;
        big_shift_left(&big, bits);
        power = -(long)bits;
        for (unsigned i = 0; i < tenths; i++) {
            below |= big_divide(&big, 10) != 0;
        }
    }
    const uint64_t top = big_top(&big, &power, &below);
    return round_to_bits(top, power, below);
}

bool
number_read(const char *text, const char **end, double *value)
{
    struct decimal decimal = {0};
    unsigned count = 0;
    const char *at = text;
    const bool negative = *at == '-';
    at += *at == '-' || *at == '+';
    const char *const whole = at;
    at = read_digits(at, &decimal, &count, false);
    bool any = at > whole;
    if (*at == '.' && (any || ascii_is_digit(at[1]))) {
        const char *const fraction = at + 1;
        at = read_digits(fraction, &decimal, &count, true);
        any = any || at > fraction;
    }
    if (!any) {
        return false;
    }
    at = read_exponent(at, &decimal.exponent);
    if (decimal.exponent > MOST_EXPONENT) {
        if (decimal.digits) {
            return false;
        }
    } else if (decimal.exponent < -MOST_EXPONENT) {
        decimal.digits = 0;
    }
    uint64_t bits = to_bits(&decimal);
    if (bits >> MANTISSA_BITS >= 2 * BIAS + 1) {
        return false;
    }
    bits |= (uint64_t)negative << 63;
    memcpy(value, &bits, sizeof(*value));
    *end = at;
    return true;
}

/* ---- writing ---- */

/* All digits of a number that is not 0; the point stands *point digits behind the first one's
 * place. Returns how many. */
static unsigned
all_digits(uint64_t bits, char digits[DIGITS_MOST], int *point)
{
    struct big big;
    uint64_t mantissa = bits & ((UINT64_C(1) << MANTISSA_BITS) - 1);
    const int stored = (int)(bits >> MANTISSA_BITS & (2 * BIAS + 1));
    int power = (stored ? stored : 1) - BIAS - MANTISSA_BITS;
    mantissa |= (uint64_t)(stored != 0) << MANTISSA_BITS;
    for (; !(mantissa & 1) && power < 0; power++) {
        mantissa >>= 1;
    }
    big_set(&big, mantissa);
    if (power > 0) {
        big_shift_left(&big, (unsigned)power);
    } else {
        big_multiply_power(&big, 5, (unsigned)-power); /* m / 2^n = m * 5^n / 10^n */
    }
    char reversed[DIGITS_MOST];
    unsigned count = 0;
    while (big.count) {
        uint32_t chunk = big_divide(&big, CHUNK);
        for (unsigned i = 0; i < CHUNK_DIGITS && (big.count || chunk); i++) {
            reversed[count++] = (char)('0' + chunk % 10);
            chunk /= 10;
        }
    }
    for (unsigned i = 0; i < count; i++) {
        digits[i] = reversed[count - 1 - i];
    }
    *point = (int)count + (power < 0 ? power : 0);
    return count;
}

/* Cuts to `most` digits, ties to even, and takes zeros off the end. Returns how many are left. */
static unsigned
round_digits(char *digits, unsigned count, unsigned most, int *point)
{
    if (count > most) {
        bool up = digits[most] > '5';
        if (digits[most] == '5') {
            bool more = (digits[most - 1] - '0') % 2 != 0;
            for (unsigned i = most + 1; i < count; i++) {
                more |= digits[i] != '0';
            }
            up = more;
        }
        count = most;
        while (up && count && digits[count - 1] == '9') {
            count--;
        }
        if (up && count) {
            digits[count - 1]++;
        } else if (up) { /* nines alone */
            digits[0] = '1';
            count = 1;
            (*point)++;
        }
    }
    while (count > 1 && digits[count - 1] == '0') {
        count--;
    }
    return count;
}

/* d.ddde+xx */
static void
write_with_exponent(char *to, const char *digits, unsigned count, int exponent)
{
    const unsigned size = (unsigned)(exponent < 0 ? -exponent : exponent);
    snprintf(to, NUMBER_EXACT_DIGITS + 8, "%c%s%.*se%c%02u", digits[0], count > 1 ? "." : "",
             (int)count - 1, digits + 1, exponent < 0 ? '-' : '+', size);
}

static void
write_plainly(char *to, const char *digits, unsigned count, int point)
{
    if (point <= 0) {
        *to++ = '0';
        *to++ = '.';
        for (; point < 0; point++) {
            *to++ = '0';
        }
    }
    for (unsigned i = 0; i < count || (int)i < point; i++) {
        if (i && (int)i == point) {
            *to++ = '.';
        }
        *to++ = i < count ? digits[i] : '0';
    }
    *to = '\0';
}

struct number_text
number_write(double value, unsigned digits)
{
    struct number_text number;
    char all[DIGITS_MOST], *to = number.text;
    uint64_t bits;
    int point = 0;
    memcpy(&bits, &value, sizeof(bits));
    if (bits >> 63) {
        *to++ = '-';
    }
    bits &= UINT64_MAX >> 1;
    if (bits >> MANTISSA_BITS == 2 * BIAS + 1) {
        snprintf(number.text, sizeof(number.text), "%s",
                 bits << 12         ? "nan"
                 : to > number.text ? "-inf"
                                    : "inf");
        return number;
    }
    if (bits == 0) {
        memcpy(to, "0", 2);
        return number;
    }
    unsigned count = all_digits(bits, all, &point);
    count = round_digits(all, count, digits, &point);
    if (point - 1 < -4 || point - 1 >= (int)digits) {
        write_with_exponent(to, all, count, point - 1);
    } else {
        write_plainly(to, all, count, point);
    }
    return number;
}

struct number_text
number_text(double value)
{
    return number_write(value, NUMBER_DIGITS);
}

struct number_text
number_write_exactly(double value)
{
    struct number_text number = {""};
    for (unsigned digits = NUMBER_DIGITS; digits <= NUMBER_EXACT_DIGITS; digits++) {
        const char *end;
        double read;
        number = number_write(value, digits);
        if (number_read(number.text, &end, &read) && memcmp(&read, &value, sizeof(read)) == 0) {
            break;
        }
    }
    return number;
}
