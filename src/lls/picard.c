/* picard: the plain iteration x_{i+1} = Phi(x_i, lambda). */
#include <twofold/impl/fpmimpl.h>
#include <twofold/impl/llsimpl.h>

/* Whether steps may be made at once: nobody looks in between, and if someone asks whether to stop there, the
   map gains more by it than a loop would. */
static PetscErrorCode GoesAtOnce(LLS lls, PetscBool *once)
{
  PetscBool own = PETSC_FALSE, adjoint;

  PetscFunctionBegin;
  *once = (PetscBool)(!LLSNeedsChange_Private(lls) && !lls->record && !lls->stop);
  if (!*once || !lls->poll) PetscFunctionReturn(PETSC_SUCCESS);
  if (lls->fpm->uses_map)
    PetscCall(BLPHasMapSteps(lls->blp, &own, &adjoint));
  else
    own = (PetscBool)(lls->fpm->ops->steps != NULL);
  *once = own;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LLSSolve_Picard(LLS lls, Vec lambda, State x)
{
  PetscReal *const change = LLSNeedsChange_Private(lls) ? &lls->change : NULL;
  PetscBool once;

  PetscFunctionBegin;
  PetscCall(LLSTest_Private(lls, x));
  PetscCall(GoesAtOnce(lls, &once));
  if (lls->reason == LLS_ITERATING && once) {
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
