/* The methods of twofold study: itd, fp or a KSP's name; with ":K" behind it K steps of the adjoint at every
   t, without it k = t. fp is the fixed-point method on the lower level's own map; other KSPs solve with
   gradient descent of step 1 (or what -hg_fpm_type says). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <twofold/theorem.h>
#include "study.h"

static PetscErrorCode ParseMethod(const char word[], StudyMethod *m)
{
  char *colon, *end;

  PetscFunctionBegin;
  *m = (StudyMethod){.k = -1};
  PetscCall(PetscStrncpy(m->name, word, sizeof(m->name)));
  PetscCall(PetscStrncpy(m->ksp, word, sizeof(m->ksp)));
  colon = strchr(m->ksp, ':');
  if (colon) {
    const long long k = strtoll(colon + 1, &end, 10);
    PetscCheck(end != colon + 1 && !*end && k >= 0 && k <= PETSC_MAX_INT, PETSC_COMM_WORLD,
               PETSC_ERR_USER_INPUT, "-study_methods %s: behind the colon goes a number of adjoint steps",
               word);
    m->k = (PetscInt)k;
    *colon = 0;
  }
  m->itd = (PetscBool)!strcmp(m->ksp, "itd");
  m->bylower = (PetscBool)!strcmp(m->ksp, "fp");
  if (m->bylower) PetscCall(PetscStrncpy(m->ksp, KSPRICHARDSON, sizeof(m->ksp)));
  PetscCheck(!m->itd || !colon, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "-study_methods %s: itd goes back through all t steps and has no number of its own", word);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StudyMethodsParse(const char text[], StudyMethod method[], PetscInt *n)
{
  char **words;
  int count;

  PetscFunctionBegin;
  PetscCall(PetscStrToArray(text, ',', &count, &words));
  PetscCheck(count > 0 && count <= STUDY_MAX_METHODS, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "-study_methods %s: 1 to %d methods with commas between them", text, STUDY_MAX_METHODS);
  for (int i = 0; i < count; i++) PetscCall(ParseMethod(words[i], &method[i]));
  *n = count;
  PetscCall(PetscStrToArrayDestroy(count, words));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* fp: the adjoint's map takes type, step and momentum of the lower level's, which chooses them here. */
static PetscErrorCode CopyMap(HG hg, BLP blp, Vec lambda)
{
  LLS lls;
  FPM lower, adjoint;
  FPMMethod method;
  FPMType type;
  PetscReal alpha, beta;
  Vec w;

  PetscFunctionBegin;
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSGetFPM(lls, &lower));
  PetscCall(HGGetAdjointFPM(hg, &adjoint));
  PetscCall(BLPCreateVecs(blp, NULL, &w));
  PetscCall(VecZeroEntries(w));
  PetscCall(BoundProvideConstants(lower, lambda, w, NULL));
  PetscCall(FPMPrepare(lower, lambda));
  PetscCall(VecDestroy(&w));
  PetscCall(FPMGetType(lower, &type));
  PetscCall(FPMSetType(adjoint, type));
  PetscCall(FPMGetMethod(lower, &method));
  if (method == FPM_METHOD_OTHER) PetscFunctionReturn(PETSC_SUCCESS); /* it has no step size */
  PetscCall(FPMGetStep(lower, &alpha));
  PetscCall(FPMGetMomentum(lower, &beta));
  PetscCall(FPMSetStep(adjoint, alpha));
  if (method != FPM_METHOD_GD) PetscCall(FPMSetMomentum(adjoint, beta));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StudyMethodCreate(const StudyMethod *method, BLP blp, Vec lambda, HG *hg)
{
  PetscBool given;
  LLS lls;
  FPM lower;
  KSP ksp;

  PetscFunctionBegin;
  PetscCall(HGCreate(PetscObjectComm((PetscObject)blp), hg));
  PetscCall(HGSetBLP(*hg, blp));
  PetscCall(HGSetType(*hg, method->itd ? HGITD : HGAID));
  PetscCall(HGSetFromOptions(*hg));
  PetscCall(HGGetLLS(*hg, &lls));
  PetscCall(LLSSetTolerances(lls, 0, 0, 0));
  if (!method->itd) {
    PetscCall(HGGetKSP(*hg, &ksp));
    PetscCall(KSPSetType(ksp, method->ksp));
    PetscCall(KSPSetTolerances(ksp, 0, 0, PETSC_DEFAULT, 0));
    PetscCall(PetscOptionsHasName(NULL, NULL, "-hg_fpm_type", &given));
    if (method->bylower && !given) { /* the lower level's map must know its type first */
      PetscCall(LLSGetFPM(lls, &lower));
      PetscCall(FPMSetUp(lower));
      PetscCall(CopyMap(*hg, blp, lambda));
    }
  }
  PetscCall(HGSetUp(*hg));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StudyMethodSetSteps(const StudyMethod *method, HG hg, PetscInt t, PetscInt *k)
{
  LLS lls;
  KSP ksp;

  PetscFunctionBegin;
  *k = method->k < 0 ? t : method->k;
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSSetTolerances(lls, 0, 0, t));
  if (method->itd) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(HGGetKSP(hg, &ksp));
  PetscCall(KSPSetTolerances(ksp, 0, 0, PETSC_DEFAULT, *k));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ||v_k - v|| <= sigma ||v|| of the adjoint's solver; NaN where no theorem gives it. */
static PetscErrorCode AdjointRate(const StudyMethod *method, FPM adjoint, Vec lambda, PetscReal q, PetscInt k,
                                  PetscReal *sigma)
{
  TwofoldConstant L, mu, kappa;
  FPMMethod kind;
  PetscBool cg;

  PetscFunctionBegin;
  *sigma = NAN;
  PetscCall(PetscStrcmp(method->ksp, KSPCG, &cg));
  PetscCall(FPMGetMethod(adjoint, &kind));
  if (!strcmp(method->ksp, KSPRICHARDSON)) PetscCall(BoundFixedPointRate(q, k, sigma));
  if (!cg || kind != FPM_METHOD_GD) PetscFunctionReturn(PETSC_SUCCESS);
  BLP blp;
  PetscCall(FPMGetBLP(adjoint, &blp));
  PetscCall(BLPGetSmoothness(blp, lambda, &L));
  PetscCall(BLPGetStrongConvexity(blp, lambda, &mu));
  PetscCall(BoundConditionNumber(&mu, &L, &kappa));
  if (kappa.standing) PetscCall(BoundCGRate(kappa.value, k, sigma));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The adjoint's map may be another than the lower level's: then the constants are its own, and only rho is of
   the lower level's. */
PetscErrorCode StudyMethodBound(const StudyMethod *method, HG hg, Vec lambda, PetscInt t, PetscInt k,
                                double *bound)
{
  BoundConstants c;
  BoundNumbers lower, a;
  TwofoldStanding standing;
  const char *missing;
  PetscReal value, rho, sigma;
  LLS lls;
  FPM fpm;

  PetscFunctionBegin;
  *bound = NAN;
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSGetFPM(lls, &fpm));
  PetscCall(BoundCollect(fpm, lambda, &c));
  PetscCall(BoundGetNumbers(&c, &lower, &standing, &missing));
  if (missing) PetscFunctionReturn(PETSC_SUCCESS);
  if (method->itd) {
    PetscCall(BoundITD(&lower, t, &value));
  } else {
    PetscCall(HGGetAdjointFPM(hg, &fpm));
    PetscCall(BoundCollect(fpm, lambda, &c));
    PetscCall(BoundGetNumbers(&c, &a, &standing, &missing));
    if (missing) PetscFunctionReturn(PETSC_SUCCESS);
    PetscCall(BoundFixedPointRate(lower.q, t, &rho));
    PetscCall(AdjointRate(method, fpm, lambda, a.q, k, &sigma));
    PetscCall(BoundAID(&a, rho, sigma, &value));
  }
  *bound = value;
  PetscFunctionReturn(PETSC_SUCCESS);
}
