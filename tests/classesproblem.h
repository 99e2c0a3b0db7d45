#ifndef TWOFOLD_TEST_CLASSESPROBLEM_H
#define TWOFOLD_TEST_CLASSESPROBLEM_H
/* Problems `distill` and `dataclean` of synthetic data: what they need of them, and what their dense
   references know of it. */
#include "synthetic.h"

enum { synthetic_images = 2, synthetic_spoilt_seed = 3 };
static const PetscReal synthetic_beta = 5, synthetic_spoilt = 0.4;

/* Two images a class, which may not all be the same. */
static inline void SyntheticDistill(Synthetic *s)
{
  s->bias = PETSC_FALSE;
  if (s->tie == BLP_TIE_FEATURE || s->tie == BLP_TIE_SCALAR) s->tie = BLP_TIE_CLASS;
  s->options = "-blp_distill_images 2 -blp_distill_beta 5";
}

/* Pixels of the size that the tests' steps are for, whatever is asked for. */
static inline PetscErrorCode SyntheticDistillLambda(const Synthetic *s, PetscInt64 seed, PetscReal spread,
                                                    PetscReal center, Vec lambda)
{
  PetscFunctionBegin;
  (void)s, (void)spread, (void)center;
  PetscCall(TwofoldVecSetRandomNormal(lambda, seed));
  PetscCall(VecScale(lambda, 0.5));
  PetscFunctionReturn(0);
}

/* Some labels are spoilt; lambda has neither features nor classes. */
static inline void SyntheticDataClean(Synthetic *s)
{
  s->bias = PETSC_FALSE;
  if (s->tie != BLP_TIE_SCALAR) s->tie = BLP_TIE_OWN;
  s->options = "-blp_dataclean_corrupt 0.4 -blp_dataclean_seed 3 -blp_dataclean_beta 5";
}

/* Weights away from 1/2, where their second derivative is 0. */
static inline PetscErrorCode SyntheticDataCleanLambda(const Synthetic *s, PetscInt64 seed, PetscReal spread,
                                                      PetscReal center, Vec lambda)
{
  PetscFunctionBegin;
  (void)s;
  PetscCall(TwofoldVecSetRandomNormal(lambda, seed));
  PetscCall(VecScale(lambda, 0.5 * spread));
  PetscCall(VecShift(lambda, 1 + 0.5 * center));
  PetscFunctionReturn(0);
}

/* The label that the lower level sees of training sample i, of c classes and label y. */
static inline PetscInt SyntheticSpoilt(PetscInt c, PetscInt i, PetscInt y)
{
  const PetscInt64 key = 16 * synthetic_spoilt_seed + 11;

  if (TwofoldRandomUniform(key, 2 * i) >= synthetic_spoilt) return y;
  for (PetscInt k = 1; k < c; k++)
    if (TwofoldRandomUniform(key, 2 * i + 1) < (PetscReal)k / (PetscReal)(c - 1)) return (y + k) % c;
  return y;
}

#endif
