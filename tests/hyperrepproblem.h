#ifndef TWOFOLD_TEST_HYPERREPPROBLEM_H
#define TWOFOLD_TEST_HYPERREPPROBLEM_H
/* Problem `hyperrep` of synthetic data: what it needs of them. */
#include "synthetic.h"

/* Real targets, a representation of size c, and features so small that the tests' step sizes are for it too.
 */
static inline void SyntheticHyperRep(Synthetic *s)
{
  static const char *const options[] = {
      "", "-blp_hyperrep_dim 1 -blp_hyperrep_beta 0.1", "-blp_hyperrep_dim 2 -blp_hyperrep_beta 0.1",
      "-blp_hyperrep_dim 3 -blp_hyperrep_beta 0.1", "-blp_hyperrep_dim 4 -blp_hyperrep_beta 0.1"};

  s->bias = PETSC_FALSE;
  s->real = PETSC_TRUE;
  s->scale = 0.2;
  s->options = options[s->c];
}

/* Of unit size, whatever is asked for. */
static inline PetscErrorCode SyntheticHyperRepLambda(const Synthetic *s, PetscInt64 seed, PetscReal spread,
                                                     PetscReal center, Vec lambda)
{
  PetscFunctionBegin;
  (void)s, (void)spread, (void)center;
  PetscCall(TwofoldVecSetRandomNormal(lambda, seed));
  PetscCall(VecScale(lambda, 0.5));
  PetscFunctionReturn(0);
}

#endif
