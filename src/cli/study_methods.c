/* The methods of twofold study: itd, fp or a KSP's name; with ":K" behind it K steps of the adjoint at every
   t, without it k = t. fp is the fixed-point method on the lower level's own map; other KSPs solve with
   gradient descent of step 1 (or what -hg_fpm_type says). */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <petscksp.h>
#include "study.h"

/* ------------------------------------------------------------------ names */

/* A KSP by its name, or the closest one is told. */
static PetscErrorCode CheckKSP(const char word[], const char ksp[])
{
  void (*create)(void);
  const char **names, *closest = "itd";
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(KSPInitializePackage());
  PetscCall(PetscFunctionListFind(KSPList, ksp, &create));
  if (create) PetscFunctionReturn(PETSC_SUCCESS);
  PetscInt best = PetscMin(TwofoldEditDistance(ksp, "itd"), TwofoldEditDistance(ksp, "fp"));
  if (TwofoldEditDistance(ksp, "fp") == best) closest = "fp";
  PetscCall(TwofoldListTypes(KSPList, &n, &names));
  for (PetscInt i = 0; i < n; i++) {
    const PetscInt distance = TwofoldEditDistance(ksp, names[i]);
    if (distance >= best) continue;
    best = distance;
    closest = names[i];
  }
  char text[512];
  PetscCall(PetscSNPrintf(text, sizeof(text),
                          "-study_methods %s: no such method; known are itd, fp and PETSc's Krylov methods, "
                          "cg, gmres, ... (closest: %s)",
                          word, closest));
  PetscCall(PetscFree(names));
  SETERRQ(PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT, "%s", text);
}

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
  PetscCheck(!m->itd || !colon, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "-study_methods %s: itd goes back through all t steps and has no number of its own", word);
  if (m->bylower) PetscCall(PetscStrncpy(m->ksp, KSPRICHARDSON, sizeof(m->ksp)));
  if (!m->itd) PetscCall(CheckKSP(word, m->ksp));
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
  for (int i = 0; i < count; i++) {
    PetscCall(ParseMethod(words[i], &method[i]));
    for (int j = 0; j < i; j++)
      PetscCheck(strcmp(method[i].name, method[j].name) != 0, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
                 "-study_methods %s: %s is there twice", text, method[i].name);
  }
  *n = count;
  PetscCall(PetscStrToArrayDestroy(count, words));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ hypergradients */

PetscErrorCode StudyMethodConfigure(const StudyMethod *method, BLP blp, HG *hg)
{
  LLS lls;
  KSP ksp;

  PetscFunctionBegin;
  PetscCall(HGCreate(PetscObjectComm((PetscObject)blp), hg));
  PetscCall(HGSetBLP(*hg, blp));
  PetscCall(HGSetType(*hg, method->itd ? HGITD : HGAID));
  if (!method->itd) { /* before the options, which are those of its type */
    PetscCall(HGGetKSP(*hg, &ksp));
    PetscCall(KSPSetType(ksp, method->ksp));
    PetscCall(KSPSetTolerances(ksp, 0, 0, PETSC_DEFAULT, 0));
  }
  PetscCall(HGSetFromOptions(*hg));
  PetscCall(HGGetLLS(*hg, &lls));
  PetscCall(LLSSetTolerances(lls, 0, 0, 0));
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
  PetscCall(FPMSetUp(lower)); /* its default type is the problem's */
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

  PetscFunctionBegin;
  PetscCall(StudyMethodConfigure(method, blp, hg));
  PetscCall(PetscOptionsHasName(NULL, NULL, "-hg_fpm_type", &given));
  if (method->bylower && !given) PetscCall(CopyMap(*hg, blp, lambda));
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

/* ------------------------------------------------------------------ their bounds */

/* Whether the method is one the theorems are about: the map iterated with a step that counts as a constant,
   all of the steps gone back through, or the adjoint's system solved as it is, and no correction. */
static PetscErrorCode TheoremApplies(const StudyMethod *method, HG hg, PetscBool *applies)
{
  PetscBool picard, correct, differentiate, bare, given, scaled;
  PetscInt truncate = 0;
  LLS lls;
  FPM fpm;
  KSP ksp;
  PC pc;

  PetscFunctionBegin;
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(PetscObjectTypeCompare((PetscObject)lls, LLSPICARD, &picard));
  PetscCall(HGGetCorrect(hg, &correct));
  PetscCall(LLSGetFPM(lls, &fpm));
  PetscCall(FPMGetDifferentiateStep(fpm, &differentiate));
  *applies = (PetscBool)(picard && !correct && !differentiate);
  if (method->itd) {
    PetscCall(PetscOptionsGetInt(NULL, NULL, "-hg_itd_truncate", &truncate, NULL));
    if (truncate) *applies = PETSC_FALSE;
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(HGGetKSP(hg, &ksp));
  PetscCall(KSPGetPC(ksp, &pc));
  PetscCall(PetscObjectTypeCompare((PetscObject)pc, PCNONE, &bare));
  PetscCall(PetscOptionsHasName(NULL, NULL, "-hg_ksp_richardson_scale", &given));
  PetscCall(PetscOptionsHasName(NULL, NULL, "-hg_ksp_richardson_self_scale", &scaled));
  if (!bare || ((given || scaled) && !strcmp(method->ksp, KSPRICHARDSON))) *applies = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Which of the adjoint's solvers the theorems know: the fixed point on any map, CG on gradient descent. */
static PetscErrorCode CollectSolver(const StudyMethod *method, FPM adjoint, Vec lambda, StudyTheorem *theorem)
{
  TwofoldConstant L, mu, kappa;
  FPMMethod kind;
  BLP blp;

  PetscFunctionBegin;
  theorem->fixed_point =
      (PetscBool)(!strcmp(method->ksp, KSPRICHARDSON) || !strcmp(method->ksp, KSPFIXEDPOINT));
  PetscCall(FPMGetMethod(adjoint, &kind));
  if (strcmp(method->ksp, KSPCG) != 0 || kind != FPM_METHOD_GD) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(FPMGetBLP(adjoint, &blp));
  PetscCall(BLPGetSmoothness(blp, lambda, &L));
  PetscCall(BLPGetStrongConvexity(blp, lambda, &mu));
  PetscCall(BoundConditionNumber(&mu, &L, &kappa));
  theorem->cg = (PetscBool)(kappa.standing != TWOFOLD_UNKNOWN);
  theorem->kappa = kappa.value;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The adjoint's map may be another than the lower level's: then the constants are its own, and only rho is of
   the lower level's. */
PetscErrorCode StudyTheoremCollect(const StudyMethod *method, HG hg, Vec lambda, StudyTheorem *theorem)
{
  BoundConstants c;
  TwofoldStanding standing, own;
  const char *missing;
  PetscBool applies = PETSC_FALSE;
  LLS lls;
  FPM fpm;

  PetscFunctionBegin;
  *theorem = (StudyTheorem){.standing = TWOFOLD_UNKNOWN};
  PetscCall(TheoremApplies(method, hg, &applies));
  if (!applies) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSGetFPM(lls, &fpm));
  PetscCall(BoundCollect(fpm, lambda, &c));
  PetscCall(BoundGetNumbers(&c, &theorem->lower, &standing, &missing));
  if (missing) PetscFunctionReturn(PETSC_SUCCESS);
  if (!method->itd) {
    PetscCall(HGGetAdjointFPM(hg, &fpm));
    PetscCall(BoundCollect(fpm, lambda, &c));
    PetscCall(BoundGetNumbers(&c, &theorem->adjoint, &own, &missing));
    if (missing) PetscFunctionReturn(PETSC_SUCCESS);
    if (own > standing) standing = own; /* proved is the least */
    PetscCall(CollectSolver(method, fpm, lambda, theorem));
  }
  theorem->standing = standing;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StudyTheoremBound(const StudyMethod *method, const StudyTheorem *theorem, PetscInt t,
                                 PetscInt k, double *bound)
{
  PetscReal value = NAN, rho, sigma = NAN; /* ||v_k - v|| <= sigma ||v|| */

  PetscFunctionBegin;
  *bound = NAN;
  if (theorem->standing == TWOFOLD_UNKNOWN) PetscFunctionReturn(PETSC_SUCCESS);
  if (method->itd) {
    PetscCall(BoundITD(&theorem->lower, t, &value));
  } else {
    PetscCall(BoundFixedPointRate(theorem->lower.q, t, &rho));
    if (theorem->fixed_point) PetscCall(BoundFixedPointRate(theorem->adjoint.q, k, &sigma));
    if (theorem->cg) PetscCall(BoundCGRate(theorem->kappa, k, &sigma));
    PetscCall(BoundAID(&theorem->adjoint, rho, sigma, &value));
  }
  *bound = value;
  PetscFunctionReturn(PETSC_SUCCESS);
}
