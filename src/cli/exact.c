/* The lower level's own solution beside the iterate: for -uls_eval_exact, w(lambda) by a solver of its own,
   newton unless options choose another, from w_t on to a tolerance; and f, losses and accuracies there. The
   run knows nothing of it: it goes on from w_t. */
#include <petsctime.h>
#include <twofold/impl/llsimpl.h>
#include "cli.h"

struct _Exact {
  BLP blp;
  LLS lls;
  State x; /* w(lambda), in the solver's map's terms */
};

PetscErrorCode ExactCreate(BLP blp, Exact *exact)
{
  LLS lls;

  PetscFunctionBegin;
  PetscCall(PetscNew(exact));
  PetscCall(LLSCreate(PetscObjectComm((PetscObject)blp), &lls));
  PetscCall(LLSSetOptionsPrefix(lls, "uls_eval_"));
  PetscCall(LLSSetType(lls, LLSNEWTON));
  PetscCall(LLSSetTolerances(lls, 1e-9, 0, 100));
  PetscCall(LLSSetBLP(lls, blp));
  PetscCall(LLSSetFromOptions(lls));
  (*exact)->blp = blp;
  (*exact)->lls = lls;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ExactSetStops(Exact exact, Stops stops)
{
  PetscFunctionBegin;
  PetscCall(LLSSetPoll_Private(exact->lls, StopsAskLower, stops));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ExactSetUp(Exact exact)
{
  PetscInt F;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(BLPGetFolds(exact->blp, &F, NULL, NULL, NULL));
  PetscCheck(!F, PETSC_COMM_WORLD, PETSC_ERR_SUP,
             "-uls_eval_exact solves one lower level, and -blp_folds %" PetscInt_FMT
             " has one a fold: drop one of the two",
             F);
  PetscCall(LLSSetUp(exact->lls));
  PetscCall(LLSGetFPM(exact->lls, &fpm));
  PetscCall(FPMCreateState(fpm, &exact->x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ExactGetMemory(Exact exact, PetscLogDouble *bytes)
{
  PetscInt nlocal;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(exact->x->v[0], &nlocal));
  *bytes += (PetscLogDouble)nlocal * sizeof(PetscScalar) * (PetscLogDouble)exact->x->n;
  PetscCall(LLSGetMemory_Private(exact->lls, bytes));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* exact->x <- w(lambda), from w on. */
static PetscErrorCode SolveLower(Exact exact, Vec lambda, Vec w, ExactPoint *point)
{
  PetscReal norm;
  FPM fpm;

  PetscFunctionBegin;
  for (PetscInt k = 0; k < exact->x->n; k++) PetscCall(VecCopy(w, exact->x->v[k]));
  PetscCall(LLSGetFPM(exact->lls, &fpm));
  PetscCall(BoundProvideConstants(fpm, lambda, w, NULL));
  PetscCall(LLSSolve(exact->lls, lambda, exact->x));
  PetscCall(LLSGetConvergedReason(exact->lls, &point->reason));
  PetscCall(LLSGetIterationNumber(exact->lls, &point->its));
  PetscCall(LLSGetProducts(exact->lls, &point->products));
  PetscCall(LLSGetChange(exact->lls, &point->change));
  PetscCall(VecNorm(exact->x->v[0], NORM_2, &norm));
  if (norm > 0 && point->change >= 0) point->change /= norm;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ExactEvaluate(Exact exact, Vec lambda, Vec w, PetscBool val, PetscBool test, ExactPoint *point)
{
  PetscLogDouble begin, end;

  PetscFunctionBegin;
  *point = (ExactPoint){.there = PETSC_TRUE, .has_val = val, .has_test = test};
  PetscCall(PetscTime(&begin));
  PetscCall(SolveLower(exact, lambda, w, point));
  const Vec solution = exact->x->v[0];
  point->f = (PetscReal)INFINITY; /* PETSC_INFINITY is a finite number */
  point->measured = (PetscBool)(point->reason > 0 || point->reason == LLS_DIVERGED_ITS ||
                                point->reason == LLS_DIVERGED_LINE_SEARCH);
  if (point->measured) {
    PetscCall(BLPUpper(exact->blp, lambda, solution, &point->f, NULL, NULL));
    if (val) PetscCall(BLPEvaluate(exact->blp, BLP_VAL, lambda, solution, &point->val));
    if (test) PetscCall(BLPEvaluate(exact->blp, BLP_TEST, lambda, solution, &point->test));
  }
  PetscCall(PetscTime(&end));
  point->time = end - begin;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode ExactDestroy(Exact *exact)
{
  PetscFunctionBegin;
  if (!*exact) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(StateDestroy(&(*exact)->x));
  PetscCall(LLSDestroy(&(*exact)->lls));
  PetscCall(PetscFree(*exact));
  PetscFunctionReturn(PETSC_SUCCESS);
}
