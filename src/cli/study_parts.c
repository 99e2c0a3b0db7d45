/* The two parts of the error of aid in twofold study. With v(w_t) the exact adjoint at the lower level's
   iterate and v_k the one that the method has,

     g - grad f  =  [ g(w_t, v(w_t)) - grad f ]  +  d2Phi^T (v_k - v(w_t))

   the first, iterate_error, is the same for all of aid's methods at the same t; the second, adjoint_error, is
   what their adjoint solvers differ by. The error may be less than either: they are vectors, and may cancel.

   v(w_t) is solved for to rounding, by CG on gradient descent with step 1 or, for a problem that is a map, by
   GMRES; that is told by its residual. */
#include <math.h>
#include <petscksp.h>
#include "study.h"

enum { MAX_STEPS = 10000, MAX_RESTART = 300 };
static const PetscReal solved = 1e-12; /* the largest relative residual of an adjoint that counts as exact */

PetscErrorCode StudyPartsCreate(const Study *study, Vec lambda, StudyParts *parts)
{
  PetscFunctionBegin;
  *parts = (StudyParts){.n = study->parts ? study->nat : 0};
  if (!parts->n) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecDuplicateVecs(lambda, parts->n, &parts->g));
  PetscCall(PetscMalloc1(parts->n, &parts->error));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StudyPartsDestroy(StudyParts *parts)
{
  PetscFunctionBegin;
  if (parts->n) PetscCall(VecDestroyVecs(parts->n, &parts->g));
  PetscCall(PetscFree(parts->error));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The lower level of the options with an adjoint to rounding, whatever they say of adjoints. */
static PetscErrorCode CreateExactAdjoint(BLP blp, HG *hg)
{
  PetscBool loss;
  PetscInt n;
  FPM fpm;
  KSP ksp;
  PC pc;

  PetscFunctionBegin;
  PetscCall(HGCreate(PetscObjectComm((PetscObject)blp), hg));
  PetscCall(HGSetBLP(*hg, blp));
  PetscCall(HGSetType(*hg, HGAID));
  PetscCall(HGSetFromOptions(*hg));
  PetscCall(HGSetCertificate(*hg, HG_CERTIFICATE_NONE));
  PetscCall(HGSetCorrect(*hg, PETSC_FALSE));
  PetscCall(BLPHasLoss(blp, &loss));
  PetscCall(BLPGetSizes(blp, NULL, &n));
  PetscCall(HGGetAdjointFPM(*hg, &fpm));
  PetscCall(FPMSetType(fpm, loss ? FPMGD : FPMPROBLEM));
  if (loss) PetscCall(FPMSetStep(fpm, 1));
  PetscCall(HGGetKSP(*hg, &ksp));
  PetscCall(KSPSetType(ksp, loss ? KSPCG : KSPGMRES));
  if (!loss) PetscCall(KSPGMRESSetRestart(ksp, PetscMin(n + 1, MAX_RESTART)));
  PetscCall(KSPSetTolerances(ksp, PETSC_MACHINE_EPSILON, 0, PETSC_DEFAULT, MAX_STEPS));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PCSetType(pc, PCNONE));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StudyPartsSolve(const Study *study, BLP blp, Vec lambda, Vec exact, StudyParts *parts)
{
  HG hg;
  LLS lls;
  Vec difference;

  PetscFunctionBegin;
  if (!parts->n) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(CreateExactAdjoint(blp, &hg));
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(VecDuplicate(exact, &difference));
  for (PetscInt i = 0; i < parts->n; i++) {
    HGReport report;
    PetscReal f, error;
    PetscCall(LLSSetTolerances(lls, 0, 0, study->at[i]));
    PetscCall(HGSolve(hg, lambda, &f, parts->g[i]));
    PetscCall(HGGetReport(hg, &report));
    PetscCall(VecWAXPY(difference, -1, exact, parts->g[i]));
    PetscCall(VecNorm(difference, NORM_2, &error));
    /* at HG_DIVERGED_ITS g is there: the residual decides */
    parts->error[i] = report.reason >= HG_DIVERGED_ITS && report.adjoint_residual <= solved ? error : NAN;
  }
  PetscCall(VecDestroy(&difference));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(PETSC_SUCCESS);
}
