/* Dense reference of convequilibrium, by loops over channels, pixels and taps: a state's entry is channel o
   of pixel (y, x), a = (y N + x) C + o, and lambda is A_oist, B_ost, c_o and theta one after the other. */
#include "denseimpl.h"

enum { C = SyntheticConvChannels, N = SyntheticConvSide, nA = 9 * C * C, nB = 9 * C };

/* Where tap k of a 3 x 3 kernel looks from pixel `at`. */
static PetscInt Seen(PetscInt at, PetscInt k)
{
  const PetscInt y = at / N + 1 - k / 3, x = at % N + 1 - k % 3;

  return (y + N) % N * N + (x + N) % N;
}

static PetscReal A(const PetscReal lambda[], PetscInt a, PetscInt b)
{
  PetscReal sum = 0;

  for (PetscInt k = 0; k < 9; k++)
    if (Seen(a / C, k) == b / C) sum += lambda[(a % C * C + b % C) * 9 + k];
  return sum;
}

static long double Sum(const Dense *d, const PetscReal lambda[], const PetscReal x[], PetscInt a,
                       const PetscReal w[])
{
  const PetscInt o = a % C;
  long double sum = lambda[nA + nB + o];

  (void)d;
  for (PetscInt k = 0; k < 9; k++) {
    const PetscInt at = Seen(a / C, k);
    sum += (long double)lambda[nA + 9 * o + k] * x[at];
    for (PetscInt i = 0; i < C; i++) sum += (long double)lambda[(o * C + i) * 9 + k] * w[at * C + i];
  }
  return sum;
}

static PetscReal Derivative(const Dense *d, const PetscReal w[], const PetscReal x[], PetscInt a, PetscInt m)
{
  const PetscInt o = a % C, b = m - nA, k = (b < 0 ? m : b) % 9, at = Seen(a / C, k);

  (void)d;
  if (b < 0) return m / 9 / C == o ? w[at * C + m / 9 % C] : 0;
  if (b < nB) return b / 9 == o ? x[at] : 0;
  return b - nB == o ? 1 : 0;
}

PetscErrorCode DenseCreate_ConvEquilibrium(const Synthetic *s, Dense *d)
{
  static const DenseLayer layer = {.sum = Sum, .A = A, .derivative = Derivative};

  PetscFunctionBegin;
  PetscCall(DenseSetSamples(s, d));
  PetscCall(DenseCreateFixedPoints(s, C * N * N, nA + nB + C, &layer, d));
  PetscFunctionReturn(0);
}
