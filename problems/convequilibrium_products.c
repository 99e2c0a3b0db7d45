/* Convolutions of 3 x 3 taps with wrapped edges, as products of matrices: what a row of three taps sees from
   each pixel is a column of 3 numbers a channel, in a band of an image's rows with the last one before the
   first and the first one behind the last. For each of the three rows of taps a kernel is a matrix with a row
   for each channel that it makes, and the pixels' columns begin one row further down the band. On images of
   14 x 14 with 8 to 16 channels that is 5 to 9 % faster than one product with all nine taps, whose columns
   take longer to lay out, and 16 to 24 % faster than nine products of shifted images, which are small. */
#include <string.h>
#include "convequilibrium.h"

PetscErrorCode ConvProductsCreate_Private(ConvEquilibrium *conv)
{
  const size_t band = 3 * (size_t)conv->base.nc * (size_t)conv->side * (size_t)(conv->side + 2);

  PetscFunctionBegin;
  PetscCall(PetscMalloc2(band, &conv->band, conv->base.nA, &conv->kernel));
  conv->base.nwork = band + (size_t)conv->base.nA;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ConvProductsDestroy_Private(ConvEquilibrium *conv)
{
  PetscFunctionBegin;
  PetscCall(PetscFree2(conv->band, conv->kernel));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The band of an image: pixel (y, x) of it is that of the image at (y - 1, x - 1), (y - 1, x) and (y - 1,
   x + 1). */
static void Unfold(const ConvEquilibrium *conv, PetscInt channels, const PetscReal image[])
{
  const PetscInt side = conv->side;
  const size_t one = (size_t)channels * sizeof(PetscReal);
  PetscReal *at = conv->band;

  for (PetscInt y = 0; y < side + 2; y++) {
    const PetscReal *const row = image + (y + side - 1) % side * side * channels;
    const PetscReal *const last = row + (side - 1) * channels;
    memcpy(at, last, one);
    memcpy(at + channels, row, 2 * one);
    at += 3 * channels;
    for (PetscInt x = 1; x < side - 1; x++) {
      memcpy(at, row + (x - 1) * channels, 3 * one);
      at += 3 * channels;
    }
    memcpy(at, last - channels, 2 * one);
    memcpy(at + 2 * channels, row, one);
    at += 3 * channels;
  }
}

/* z <- kernel * u + beta z of n images of `in` channels, with the kernel that is at hand. */
static PetscErrorCode Convolve(const ConvEquilibrium *conv, PetscInt n, PetscInt out, PetscInt in,
                               const PetscReal u[], PetscReal beta, PetscReal z[])
{
  const PetscInt pixels = conv->side * conv->side, depth = 3 * in, row = conv->side * depth;

  PetscFunctionBegin;
  for (PetscInt i = 0; i < n; i++) {
    const size_t at = (size_t)i * (size_t)pixels;
    Unfold(conv, in, u + at * (size_t)in);
    for (PetscInt s = 0; s < 3; s++)
      PetscCall(EquilibriumGemm_Private("T", "N", out, pixels, depth, conv->kernel + s * out * depth, depth,
                                        conv->band + s * row, depth, s ? 1 : beta, z + at * (size_t)out,
                                        out));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Where the kernel has what multiplies w_i(y + s - 1, x + t - 1), tap = 3 s + t. */
static inline PetscInt Place(PetscInt out, PetscInt in, PetscInt o, PetscInt i, PetscInt tap)
{
  return ((tap / 3 * out + o) * 3 + tap % 3) * in + i;
}

/* Of K_oist, which multiplies w_i(y + 1 - s, x + 1 - t). */
static inline PetscInt Mirrored(PetscInt out, PetscInt in, PetscInt o, PetscInt i, PetscInt tap)
{
  return Place(out, in, o, i, ConvTaps - 1 - tap);
}

static PetscErrorCode Forward(const Equilibrium *eq, PetscInt n, PetscInt in, const PetscReal K[],
                              const PetscReal u[], PetscReal beta, PetscReal z[])
{
  const ConvEquilibrium *const conv = (const ConvEquilibrium *)eq;

  PetscFunctionBegin;
  for (PetscInt o = 0; o < eq->nc; o++)
    for (PetscInt i = 0; i < in; i++)
      for (PetscInt tap = 0; tap < ConvTaps; tap++)
        conv->kernel[Mirrored(eq->nc, in, o, i, tap)] = K[(o * in + i) * ConvTaps + tap];
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
        conv->kernel[Place(c, c, i, o, tap)] = A[(o * c + i) * ConvTaps + tap];
  PetscCall(Convolve(conv, n, c, c, v, beta, z));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* g, of K, by U and the bands of u. */
static PetscErrorCode Gradient(const Equilibrium *eq, PetscInt n, PetscInt in, const PetscReal u[],
                               const PetscReal U[], PetscReal g[])
{
  const ConvEquilibrium *const conv = (const ConvEquilibrium *)eq;
  const PetscInt pixels = conv->side * conv->side, out = eq->nc, depth = 3 * in, row = conv->side * depth;

  PetscFunctionBegin;
  PetscCall(PetscArrayzero(conv->kernel, ConvTaps * in * out));
  for (PetscInt i = 0; i < n; i++) {
    const size_t at = (size_t)i * (size_t)pixels;
    Unfold(conv, in, u + at * (size_t)in);
    for (PetscInt s = 0; s < 3; s++)
      PetscCall(EquilibriumGemm_Private("N", "T", depth, out, pixels, conv->band + s * row, depth,
                                        U + at * (size_t)out, out, 1, conv->kernel + s * out * depth, depth));
  }
  for (PetscInt o = 0; o < out; o++)
    for (PetscInt i = 0; i < in; i++)
      for (PetscInt tap = 0; tap < ConvTaps; tap++)
        g[(o * in + i) * ConvTaps + tap] = conv->kernel[Mirrored(out, in, o, i, tap)];
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ConvGradient_Private(const Equilibrium *eq, PetscInt n, const PetscReal w[],
                                    const PetscReal x[], const PetscReal U[], PetscReal gA[], PetscReal gB[])
{
  PetscFunctionBegin;
  if (gA) PetscCall(Gradient(eq, n, eq->nc, w, U, gA));
  if (gB) PetscCall(Gradient(eq, n, 1, x, U, gB));
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
