/* convequilibrium beside what is tested of every problem: see fixedpoints.h. */
#include "fixedpoints.h"

/* More states than fit into one piece of the cache, of images of 10 x 10 that are reduced to 5 x 5. */
static const Synthetic large = {.n = {900, 0, 37},
                                .p = 100,
                                .c = 3,
                                .density = 0.7,
                                .seed = 8,
                                .options = "-blp_convequilibrium_channels 3 -blp_convequilibrium_pool 2 "
                                           "-blp_convequilibrium_it 4"};
enum { C = 3, N = 5, h = C * N * N, nA = 9 * C * C, nB = 9 * C };

/* The pixel beside (y, x) that tap (s, t) sees; edges are wrapped. */
static PetscInt Seen(PetscInt pixel, PetscInt s, PetscInt t)
{
  return (pixel / N + 1 - s + N) % N * N + (pixel % N + 1 - t + N) % N;
}

/* Mean of the block of four that is a pixel. */
static PetscReal Pixel(PetscInt i, PetscInt pixel)
{
  const PetscInt at = pixel / N * 2 * 10 + pixel % N * 2;

  return (SyntheticValue(&large, 0, i, at) + SyntheticValue(&large, 0, i, at + 1) +
          SyntheticValue(&large, 0, i, at + 10) + SyntheticValue(&large, 0, i, at + 11)) /
         4;
}

/* Entry a = pixel C + o of tanh(A w_i + B x_i + c), of a training sample. */
static PetscReal Next(const PetscReal l[], PetscInt i, PetscInt a, const PetscScalar w[])
{
  const PetscInt o = a % C;
  long double sum = l[nA + nB + o];

  for (PetscInt s = 0; s < 3; s++)
    for (PetscInt t = 0; t < 3; t++) {
      const PetscInt seen = Seen(a / C, s, t);
      sum += (long double)l[nA + (o * 3 + s) * 3 + t] * Pixel(i, seen);
      for (PetscInt in = 0; in < C; in++)
        sum += (long double)l[((o * C + in) * 3 + s) * 3 + t] * w[seen * C + in];
    }
  return (PetscReal)tanhl(sum);
}

static PetscReal A(const PetscReal l[], PetscInt a, PetscInt b)
{
  for (PetscInt s = 0; s < 3; s++)
    for (PetscInt t = 0; t < 3; t++)
      if (Seen(a / C, s, t) == b / C) return l[((a % C * C + b % C) * 3 + s) * 3 + t];
  return 0;
}

/* What a set of kernels needs to know. */
static PetscErrorCode Kernel(Case *k)
{
  PetscInt first, out, in, width, grid;

  PetscFunctionBegin;
  PetscCall(BLPGetKernel(k->blp, &first, &out, &in, &width, &grid));
  CHECK(first == 0 && out == C && in == C && width == 3 && grid == N,
        "kernel from %d on, %d x %d x %d, images of %d", (int)first, (int)out, (int)in, (int)width,
        (int)grid);
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  Case k;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(CaseCreate(BLPCONVEQUILIBRIUM, &large, h, nA + nB + C + large.c * h, &k));
  PetscCall(States(&k, Next));
  PetscCall(Kernel(&k));
  PetscCall(Steps(&k));
  PetscCall(NormalStep(&k));
  PetscCall(Products(&k));
  PetscCall(Sums(&k));
  PetscCall(Predictions(&k));
  PetscCall(Contraction(&k, A));
  PetscCall(Local(&k, Next, A));
  PetscCall(CaseDestroy(&k));
  PetscCall(TestFinalize());
  return 0;
}
