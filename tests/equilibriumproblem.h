#ifndef TWOFOLD_TEST_EQUILIBRIUMPROBLEM_H
#define TWOFOLD_TEST_EQUILIBRIUMPROBLEM_H
/* Problems `equilibrium` and `convequilibrium` of synthetic data: what they need of them. */
#include "synthetic.h"

#define SyntheticEquilibriumH     3
#define SyntheticEquilibriumSteps 5

/* Small states, and few steps to those of samples beside the training ones. */
static inline void SyntheticEquilibrium(Synthetic *s)
{
  s->bias = PETSC_FALSE;
  s->map = PETSC_TRUE;
  s->tie = BLP_TIE_OWN;
  s->options = "-blp_equilibrium_h 3 -blp_equilibrium_it 5";
}

/* Two channels of images of 3 x 3. */
#define SyntheticConvChannels 2
#define SyntheticConvSide     3
static inline void SyntheticConvEquilibrium(Synthetic *s)
{
  SyntheticEquilibrium(s);
  s->p = SyntheticConvSide * SyntheticConvSide;
  s->options = "-blp_convequilibrium_channels 2 -blp_convequilibrium_it 5";
}

/* So small that the map contracts, whatever is asked for. */
static inline PetscErrorCode SyntheticEquilibriumLambda(const Synthetic *s, PetscInt64 seed, PetscReal spread,
                                                        PetscReal center, Vec lambda)
{
  PetscFunctionBegin;
  (void)s, (void)spread, (void)center;
  PetscCall(TwofoldVecSetRandomNormal(lambda, seed));
  PetscCall(VecScale(lambda, 0.2));
  PetscFunctionReturn(0);
}

/* The same, where A has six entries for one above. */
static inline PetscErrorCode SyntheticConvEquilibriumLambda(const Synthetic *s, PetscInt64 seed,
                                                            PetscReal spread, PetscReal center, Vec lambda)
{
  PetscFunctionBegin;
  PetscCall(SyntheticEquilibriumLambda(s, seed, spread, center, lambda));
  PetscCall(VecScale(lambda, 0.4));
  PetscFunctionReturn(0);
}

#endif
