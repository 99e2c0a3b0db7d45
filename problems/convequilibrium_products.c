/* Convolutions of 3 x 3 taps with wrapped edges, as products of matrices: what the nine taps of each pixel
   see, its patch, is a column of 9 numbers a channel, and a kernel is a matrix with a row for each channel
   that it makes. Patches of a few samples at a time, so that they stay in the cache; on images of 14 x 14
   with 8 to 16 channels that is faster than nine products of shifted images, whose matrices are too small, or
   three of rows of taps. */
#include <string.h>
#include "convequilibrium.h"

PetscErrorCode ConvProductsCreate_Private(ConvEquilibrium *conv)
{
  const size_t h = (size_t)conv->base.h, few = (size_t)conv->base.nfew;

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(ConvTaps * h * few, &conv->patches, conv->base.nA, &conv->kernel));
  conv->base.nwork = (PetscInt)(ConvTaps * h * few) + conv->base.nA;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ConvProductsDestroy_Private(ConvEquilibrium *conv)
{
  PetscFunctionBegin;
  PetscCall(PetscFree2(conv->patches, conv->kernel));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The patches of an image, pixel after pixel: slot (s, t) of pixel (y, x) is that of pixel (y + s - 1,
   x + t - 1). */
static void Unfold(PetscInt side, PetscInt channels, const PetscReal image[], PetscReal patch[])
{
  const size_t one = (size_t)channels * sizeof(PetscReal);

  for (PetscInt y = 0; y < side; y++) {
    for (PetscInt s = 0; s < 3; s++) {
      const PetscReal *const row = image + ((y + s - 1 + side) % side) * side * channels;
      const PetscReal *const last = row + (side - 1) * channels;
      PetscReal *slot = patch + (y * side * ConvTaps + 3 * s) * channels;
      memcpy(slot, last, one);
      memcpy(slot + channels, row, 2 * one);
      for (PetscInt x = 1; x < side - 1; x++) {
        slot += ConvTaps * channels;
        memcpy(slot, row + (x - 1) * channels, 3 * one);
      }
      slot += ConvTaps * channels;
      memcpy(slot, last - channels, 2 * one);
      memcpy(slot + 2 * channels, row, one);
    }
  }
}

/* Those of `rows` images, as the layer's work. */
static void UnfoldAll(const ConvEquilibrium *conv, PetscInt rows, PetscInt channels, const PetscReal u[])
{
  const size_t size = (size_t)(conv->side * conv->side) * (size_t)channels;

  for (PetscInt i = 0; i < rows; i++)
    Unfold(conv->side, channels, u + (size_t)i * size, conv->patches + ConvTaps * (size_t)i * size);
}

/* z <- kernel * u + beta z of n images of `in` channels, with the kernel that is at hand. */
static PetscErrorCode Convolve(const ConvEquilibrium *conv, PetscInt n, PetscInt out, PetscInt in,
                               const PetscReal u[], PetscReal beta, PetscReal z[])
{
  const PetscInt pixels = conv->side * conv->side, depth = ConvTaps * in;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i += conv->base.nfew) {
    const PetscInt rows = PetscMin(conv->base.nfew, n - i);
    const size_t at = (size_t)i * (size_t)pixels;
    UnfoldAll(conv, rows, in, u + at * (size_t)in);
    PetscCall(EquilibriumGemm_Private("T", "N", out, rows * pixels, depth, conv->kernel, depth, conv->patches,
                                      depth, beta, z + at * (size_t)out, out));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* K_oist multiplies w_i(y - (s - 1), x - (t - 1)): what slot (2 - s, 2 - t) of a patch has. */
static inline size_t Slot(PetscInt in, PetscInt o, PetscInt i, PetscInt tap)
{
  return (size_t)((o * ConvTaps + ConvTaps - 1 - tap) * in + i);
}

static PetscErrorCode Forward(const Equilibrium *eq, PetscInt n, PetscInt in, const PetscReal K[],
                              const PetscReal u[], PetscReal beta, PetscReal z[])
{
  const ConvEquilibrium *const conv = (const ConvEquilibrium *)eq;

  PetscFunctionBegin;
  for (PetscInt o = 0; o < eq->nc; o++)
    for (PetscInt i = 0; i < in; i++)
      for (PetscInt tap = 0; tap < ConvTaps; tap++)
        conv->kernel[Slot(in, o, i, tap)] = K[(o * in + i) * ConvTaps + tap];
  PetscCall(Convolve(conv, n, eq->nc, in, u, beta, z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ConvState_Private(const Equilibrium *eq, PetscInt n, const PetscReal A[], const PetscReal w[],
                                 PetscReal beta, PetscReal z[])
{
  return Forward(eq, n, eq->nc, A, w, beta, z);
}

PetscErrorCode ConvInput_Private(const Equilibrium *eq, PetscInt n, const PetscReal B[], const PetscReal x[],
                                 PetscReal beta, PetscReal z[])
{
  return Forward(eq, n, 1, B, x, beta, z);
}

/* The transpose turns the kernel over: its channels change sides, and its taps their signs. */
PetscErrorCode ConvStateTranspose_Private(const Equilibrium *eq, PetscInt n, const PetscReal A[],
                                          const PetscReal v[], PetscReal beta, PetscReal z[])
{
  const ConvEquilibrium *const conv = (const ConvEquilibrium *)eq;
  const PetscInt c = eq->nc;

  PetscFunctionBegin;
  for (PetscInt o = 0; o < c; o++)
    for (PetscInt i = 0; i < c; i++)
      for (PetscInt tap = 0; tap < ConvTaps; tap++)
        conv->kernel[(i * ConvTaps + tap) * c + o] = A[(o * c + i) * ConvTaps + tap];
  PetscCall(Convolve(conv, n, c, c, v, beta, z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* g, of K, by U and the patches of u. */
static PetscErrorCode Gradient(const Equilibrium *eq, PetscInt n, PetscInt in, const PetscReal u[],
                               const PetscReal U[], PetscReal g[])
{
  const ConvEquilibrium *const conv = (const ConvEquilibrium *)eq;
  const PetscInt pixels = conv->side * conv->side, depth = ConvTaps * in, out = eq->nc;

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(conv->kernel, (size_t)depth * (size_t)out));
  for (PetscInt i = 0; i < n; i += eq->nfew) {
    const PetscInt rows = PetscMin(eq->nfew, n - i);
    const size_t at = (size_t)i * (size_t)pixels;
    UnfoldAll(conv, rows, in, u + at * (size_t)in);
    PetscCall(EquilibriumGemm_Private("N", "T", depth, out, rows * pixels, conv->patches, depth,
                                      U + at * (size_t)out, out, 1, conv->kernel, depth));
  }
  for (PetscInt o = 0; o < out; o++)
    for (PetscInt i = 0; i < in; i++)
      for (PetscInt tap = 0; tap < ConvTaps; tap++)
        g[(o * in + i) * ConvTaps + tap] = conv->kernel[Slot(in, o, i, tap)];
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ConvGradient_Private(const Equilibrium *eq, PetscInt n, const PetscReal w[],
                                    const PetscReal x[], const PetscReal U[], PetscReal gA[], PetscReal gB[])
{
  PetscFunctionBegin;
  PetscCall(Gradient(eq, n, eq->nc, w, U, gA));
  PetscCall(Gradient(eq, n, 1, x, U, gB));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* M = [Re, -Im; Im, Re] of sum_st K_oist exp(-2 pi j (u s + v t) / N), row by row. */
static void Transform(const ConvEquilibrium *conv, PetscInt u, PetscInt v, const PetscReal K[], PetscReal M[])
{
  const PetscInt c = conv->base.nc, N = conv->side;
  PetscReal cosine[ConvTaps], sine[ConvTaps];

  for (PetscInt tap = 0; tap < ConvTaps; tap++) {
    const PetscReal angle = 2 * PETSC_PI * (PetscReal)((u * (tap / 3) + v * (tap % 3)) % N) / (PetscReal)N;
    cosine[tap] = PetscCosReal(angle);
    sine[tap] = -PetscSinReal(angle);
  }
  for (PetscInt o = 0; o < c; o++)
    for (PetscInt i = 0; i < c; i++) {
      const PetscReal *const k = K + (size_t)(o * c + i) * ConvTaps;
      PetscReal re = 0, im = 0;
      for (PetscInt tap = 0; tap < ConvTaps; tap++) {
        re += k[tap] * cosine[tap];
        im += k[tap] * sine[tap];
      }
      M[2 * c * o + i] = M[2 * c * (c + o) + c + i] = re;
      M[2 * c * (c + o) + i] = im;
      M[2 * c * o + c + i] = -im;
    }
}

/* The largest singular value at any frequency, of which (u, v) and (-u, -v) have the same. */
PetscErrorCode ConvNorm_Private(const Equilibrium *eq, const PetscReal A[], PetscReal *norm)
{
  const ConvEquilibrium *const conv = (const ConvEquilibrium *)eq;
  const PetscInt N = conv->side, twice = 2 * eq->nc;
  PetscReal *M, own;

  PetscFunctionBegin;
  *norm = 0;
  PetscCall(PetscMalloc1((size_t)twice * (size_t)twice, &M));
  for (PetscInt u = 0; u <= N / 2; u++)
    for (PetscInt v = 0; v < N; v++) {
      Transform(conv, u, v, A, M);
      PetscCall(EquilibriumNorm_Private(twice, twice, M, &own));
      if (!(own <= *norm)) *norm = own; /* NaN, too */
      if (PetscIsNanReal(own)) break;
    }
  PetscCall(PetscFree(M));
  PetscFunctionReturn(PETSC_SUCCESS);
}
