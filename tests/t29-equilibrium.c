/* equilibrium beside what is tested of every problem: see fixedpoints.h. */
#include "fixedpoints.h"

/* More states than fit into one piece of the cache. */
static const Synthetic large = {.n = {400, 0, 37},
                                .p = 6,
                                .c = 3,
                                .density = 0.7,
                                .seed = 8,
                                .options = "-blp_equilibrium_h 96 -blp_equilibrium_it 4"};
enum { h = 96 };

/* tanh(A w_i + B x_i + c)_a of a training sample */
static PetscReal Next(const PetscReal l[], PetscInt i, PetscInt a, const PetscScalar w[])
{
  long double sum = l[h * h + h * large.p + a];

  for (PetscInt b = 0; b < h; b++) sum += (long double)l[a * h + b] * w[b];
  for (PetscInt j = 0; j < large.p; j++)
    sum += (long double)l[h * h + a * large.p + j] * SyntheticValue(&large, 0, i, j);
  return (PetscReal)tanhl(sum);
}

static PetscReal A(const PetscReal l[], PetscInt a, PetscInt b)
{
  return l[a * h + b];
}

int main(int argc, char **argv)
{
  Case k;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(CaseCreate(BLPEQUILIBRIUM, &large, h, h * (h + large.p + 1 + large.c), &k));
  PetscCall(States(&k, Next));
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
