/* picard: the plain iteration x_{i+1} = Phi(x_i, lambda). */
#include <twofold/impl/llsimpl.h>

static PetscErrorCode LLSSolve_Picard(LLS lls, Vec lambda, State x)
{
  PetscReal *const change = LLSNeedsChange_Private(lls) ? &lls->change : NULL;

  PetscFunctionBegin;
  PetscCall(LLSTest_Private(lls, x));
  if (lls->reason == LLS_ITERATING && !change && !lls->record && !lls->stop) { /* nobody looks in between */
    PetscCall(FPMSteps(lls->fpm, lambda, lls->max_it - lls->its, x));
    lls->its = lls->max_it;
    PetscCall(LLSTest_Private(lls, x));
  }
  while (lls->reason == LLS_ITERATING) {
    PetscCall(LLSRecord_Private(lls, x));
    PetscCall(FPMStep(lls->fpm, lambda, x, change));
    lls->its++;
    PetscCall(LLSTest_Private(lls, x));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSCreate_Picard(LLS lls)
{
  PetscFunctionBegin;
  lls->records = PETSC_TRUE;
  lls->ops->solve = LLSSolve_Picard;
  PetscFunctionReturn(PETSC_SUCCESS);
}
