/* Numbers as text, both ways exact. */
#include "number.h"
#include <ctype.h>
#include <math.h>

/* Decimal digits as an integer times a power of ten. */
typedef struct {
  uint64_t digits;
  int exponent;
} Decimal;

/* Adds the run of digits at `s`; `shift` is -1 behind the point. Zeros in front cost no room. */
static const char *ScanDigits(const char *s, int shift, Decimal *d)
{
  for (; *s >= '0' && *s <= '9'; s++) {
    if (d->digits >= UINT64_C(1000000000000000000)) continue; /* full: too many digits for the fast way */
    d->digits = 10 * d->digits + (uint64_t)(*s - '0');
    d->exponent += shift;
  }
  return s;
}

static const char *ScanExponent(const char *s, Decimal *d)
{
  const char *at = s + 1;
  int power = 0;

  if (*s != 'e' && *s != 'E') return s;
  const int sign = *at == '-' ? -1 : 1;
  if (*at == '-' || *at == '+') at++;
  if (*at < '0' || *at > '9') return s;
  for (; *at >= '0' && *at <= '9'; at++)
    if (power < 100000) power = 10 * power + (*at - '0');
  d->exponent += sign * power;
  return at;
}

/* Powers of ten that a double holds exactly. */
static const double ten[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                             1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
static const double largest_exact = 9007199254740992; /* 2^53: integers up to here are doubles */

PetscBool TwofoldScanReal(const char **cursor, PetscReal *value)
{
  const char *const start = *cursor, *s = start + (*start == '-' || *start == '+');
  Decimal d = {0, 0};

  const char *behind = ScanDigits(s, 0, &d);
  PetscBool any = (PetscBool)(behind > s);
  if (*behind == '.') {
    const char *const fraction = behind + 1;
    behind = ScanDigits(fraction, -1, &d);
    any = (PetscBool)(any || behind > fraction);
  }
  if (!any) return PETSC_FALSE;
  *cursor = ScanExponent(behind, &d);
  /* Both factors are exact, so one multiplication or division rounds correctly (Clinger, PLDI 1990). */
  const PetscBool simple = (PetscBool)(d.digits <= (UINT64_C(1) << 53));
  if (d.digits == 0 || (simple && d.exponent >= -22 && d.exponent <= 22)) {
    double x = (double)d.digits;
    if (d.digits) x = d.exponent < 0 ? x / ten[-d.exponent] : x * ten[d.exponent];
    *value = (PetscReal)(*start == '-' ? -x : x);
  } else {
    *value = (PetscReal)strtod(start, NULL);
  }
  return PETSC_TRUE;
}

int TwofoldFormatIndex(char text[TwofoldRealWidth], uint64_t x)
{
  char digit[20];
  int n = 0, length = 0;

  do digit[n++] = (char)('0' + x % 10);
  while (x /= 10);
  while (n) text[length++] = digit[--n];
  return length;
}

/* Writes m / 10^k as a plain decimal fraction. */
static int FormatFraction(char *text, uint64_t m, int k)
{
  char digits[TwofoldRealWidth];
  int length = TwofoldFormatIndex(digits, m), at = 0;

  text[at++] = '0';
  if (length > k) { /* there is a whole part */
    memcpy(text, digits, (size_t)(length - k));
    at = length - k;
  }
  if (k) text[at++] = '.';
  for (int zeros = k - length; zeros > 0; zeros--) text[at++] = '0';
  const int rest = PetscMin(length, k);
  memcpy(text + at, digits + length - rest, (size_t)rest);
  return at + rest;
}

int TwofoldFormatReal(char text[TwofoldRealWidth], PetscReal value)
{
  const double x = (double)value, size = x < 0 ? -x : x;
  const int sign = signbit(x) != 0;

  /* Few digits are the common case and snprintf() is slow. m and 10^k are exact, so m / 10^k is what a
     reader makes of the text. */
  int digits = 15;
  for (int k = 0; k <= 22 && (size >= 1e-5 || size == 0); k++) {
    const double m = floor(size * ten[k] + 0.5);
    if (!(m <= largest_exact)) {
      digits = k ? 16 : 15; /* 15 digits were tried */
      break;
    }
    if (m / ten[k] != size) continue;
    text[0] = '-';
    return sign + FormatFraction(text + sign, (uint64_t)m, k);
  }
  for (; digits < 17; digits++) {
    const int length = snprintf(text, TwofoldRealWidth, "%.*g", digits, x);
    if (strtod(text, NULL) == x) return length;
  }
  return snprintf(text, TwofoldRealWidth, "%.17g", x);
}

const char *TwofoldQuoteWord(const char text[], char quoted[48])
{
  enum { longest = 40 };
  int n = 0;

  while (text[n] && !isspace((unsigned char)text[n]) && n < longest) {
    quoted[n] = text[n];
    if (!isprint((unsigned char)text[n])) quoted[n] = '?';
    n++;
  }
  strcpy(quoted + n, n == longest ? "..." : "");
  return quoted;
}
