#ifndef TWOFOLD_TEST_KRRPROBLEM_H
#define TWOFOLD_TEST_KRRPROBLEM_H
/* Kernel ridge regression of a synthetic problem: real targets where there are more than two classes. */
#include "synthetic.h"

static inline PetscBool SyntheticIsRaw(const Synthetic *s)
{
  return (PetscBool)(s->options && strstr(s->options, "-blp_krr_parameters raw"));
}

static inline void SyntheticKRR(Synthetic *s)
{
  s->bias = PETSC_FALSE;
  s->real = (PetscBool)(s->c > 2);
}

/* beta and gamma of a kernel that is neither flat nor the identity. */
static inline PetscErrorCode SyntheticKRRLambda(const Synthetic *s, PetscInt64 seed, PetscReal spread,
                                                PetscReal center, Vec lambda)
{
  PetscFunctionBegin;
  PetscCall(TwofoldVecSetRandomNormal(lambda, seed));
  PetscCall(VecScale(lambda, 0.3 * spread));
  PetscCall(VecShift(lambda, 0.3 * center - 1));
  if (SyntheticIsRaw(s)) PetscCall(VecExp(lambda));
  PetscFunctionReturn(0);
}

#endif
