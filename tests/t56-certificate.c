/* The certificate over random (problem, lambda, t, k, method) against the exact hypergradient: it never lies
   below the error, beyond rounding; a constant that is told too small is found out where it binds. How loose
   it is: -verbose. Each number of ranks draws other cases. */
#include "dense.h"
#include <twofold/impl/blpimpl.h>

typedef struct {
  const char *options; /* of the hypergradient */
  PetscBool map;       /* for a lower level that is a map */
} Method;

static const Method methods[] = {
    {"-hg_type aid -lls_fpm_step optimal -hg_ksp_type cg", PETSC_FALSE},
    {"-hg_type aid -lls_fpm_type heavyball -lls_fpm_step optimal -hg_ksp_type cg", PETSC_FALSE},
    {"-hg_type aid -lls_fpm_type nesterov -lls_fpm_step optimal -hg_ksp_type richardson -hg_fpm_step optimal",
     PETSC_FALSE},
    {"-hg_type aid -lls_fpm_step optimal -hg_ksp_type minres -hg_fpm_step 3.5", PETSC_FALSE},
    {"-hg_type aid -lls_fpm_step optimal -hg_ksp_type gmres -hg_fpm_type heavyball -hg_fpm_step optimal",
     PETSC_FALSE},
    {"-hg_type aid -lls_fpm_type nesterov -lls_fpm_step optimal -hg_ksp_type richardson -hg_fpm_type "
     "nesterov "
     "-hg_fpm_step optimal",
     PETSC_FALSE},
    {"-hg_type aid -lls_fpm_step optimal -hg_ksp_type cg -hg_certificate_mu ball", PETSC_FALSE},
    {"-hg_type aid -lls_fpm_step optimal -hg_ksp_type cg -lls_warm_start -hg_warm_start", PETSC_FALSE},
    {"-hg_type itd -lls_fpm_step optimal", PETSC_FALSE},
    {"-hg_type itd -lls_fpm_step optimal -hg_itd_truncate 5", PETSC_FALSE},
    {"-hg_type aid -hg_ksp_type gmres", PETSC_TRUE},
    {"-hg_type aid -hg_ksp_type richardson", PETSC_TRUE},
    {"-hg_type itd", PETSC_TRUE},
    {"-hg_type itd -hg_itd_truncate 4", PETSC_TRUE},
};
enum { NMETHODS = sizeof(methods) / sizeof(methods[0]) };

typedef struct {
  BLP blp;
  Dense *dense;
  PetscBool map, user;
  Vec lambda, g;
  PetscReal *l, *exact, norm; /* lambda, grad f and its norm */
  PetscReal kappa;
  PetscInt64 seed;
} Case;

/* Uniform in [0, 1), keyed. */
static PetscReal Uniform(PetscInt64 seed, PetscInt64 index)
{
  return (PetscReal)(TwofoldRandomBits(seed, index) & 0xfffff) / (PetscReal)0x100000;
}

static PetscErrorCode CaseCreate(BLPType type, const Synthetic *s, PetscInt64 seed, Case *k)
{
  PetscFunctionBegin;
  *k = (Case){.seed = seed, .map = s->map, .user = (PetscBool)!strcmp(type, BLPUSER)};
  PetscCall(SyntheticProblem(TEST_COMM, type, s, &k->blp));
  PetscCall(DenseCreate(type, s, &k->dense));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, NULL));
  PetscCall(VecDuplicate(k->lambda, &k->g));
  PetscCall(PetscMalloc2(k->dense->nlambda, &k->l, k->dense->nlambda, &k->exact));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->g));
  PetscCall(PetscFree2(k->l, k->exact));
  PetscCall(DenseDestroy(&k->dense));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* w(lambda) by iterating, then the implicit function theorem: for a lower level that is a map. */
static PetscErrorCode ExactOfMap(Case *k)
{
  const DenseMap map = {FPMPROBLEM, 1, 0};
  PetscReal *w;

  PetscFunctionBegin;
  PetscCall(PetscCalloc1(k->dense->nw, &w));
  for (int i = 0; i < 300; i++) PetscCall(DenseMapStep(k->dense, &map, k->l, w));
  PetscCall(DenseImplicit(k->dense, &map, k->l, w, NULL, k->exact));
  PetscCall(PetscFree(w));
  PetscFunctionReturn(0);
}

/* Another lambda, the exact hypergradient there, and the condition number by formula. */
static PetscErrorCode Draw(Case *k, PetscInt i)
{
  const PetscReal center = 5 * Uniform(k->seed, i) - 1;
  TwofoldConstant mu, L, q;
  PetscReal f, square = 0;

  PetscFunctionBegin;
  PetscCall(TwofoldVecSetRandomNormal(k->lambda, 100 * k->seed + i));
  PetscCall(VecScale(k->lambda, 0.5));
  if (!k->user) PetscCall(VecShift(k->lambda, center));
  PetscCall(VecGather(k->lambda, k->l));
  if (k->map) {
    PetscCall(ExactOfMap(k));
    PetscCall(BLPGetContraction(k->blp, k->lambda, &q));
    k->kappa = 1 / (1 - q.value);
  } else {
    PetscCall(DenseExact(k->dense, k->l, NULL, &f, k->exact));
    PetscCall(BLPGetStrongConvexity(k->blp, k->lambda, &mu));
    PetscCall(BLPGetSmoothness(k->blp, k->lambda, &L));
    k->kappa = L.value / mu.value;
  }
  for (PetscInt j = 0; j < k->dense->nlambda; j++) square += k->exact[j] * k->exact[j];
  k->norm = PetscSqrtReal(square);
  PetscFunctionReturn(0);
}

static PetscErrorCode SetSteps(HG hg, PetscInt t, PetscInt k)
{
  PetscBool aid;
  LLS lls;
  KSP ksp;

  PetscFunctionBegin;
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSSetTolerances(lls, 0, 0, t));
  PetscCall(PetscObjectTypeCompare((PetscObject)hg, HGAID, &aid));
  if (aid) {
    PetscCall(HGGetKSP(hg, &ksp));
    PetscCall(KSPSetTolerances(ksp, 0, PETSC_DEFAULT, PETSC_DEFAULT, k));
  }
  PetscFunctionReturn(0);
}

/* The bound and the error of one hypergradient. */
static PetscErrorCode Solve(HG hg, Case *k, HGReport *report, PetscReal *error)
{
  PetscReal f;

  PetscFunctionBegin;
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGGetReport(hg, report));
  PetscCall(VecDifference(k->g, k->exact, error));
  *error *= k->norm;
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ random cases */

static PetscErrorCode OneCase(HG hg, Case *k, const Method *method, PetscInt i, PetscBool verbose)
{
  const PetscInt t = (PetscInt)(41 * Uniform(k->seed + 1, i)), its = (PetscInt)(21 * Uniform(k->seed + 2, i));
  HGReport report;
  PetscReal error = NAN;

  PetscFunctionBegin;
  PetscCall(SetSteps(hg, t, its));
  PetscCall(Solve(hg, k, &report, &error));
  CHECK(report.reason > 0, "%s: ended by %s", method->options, HGConvergedReasons[report.reason]);
  const TwofoldConstant *const bound = &report.bound;
  const PetscBool ball = (PetscBool)(strstr(method->options, "ball") && bound->standing == TWOFOLD_COMPUTED);
  CHECK(ball || bound->standing == (k->user ? TWOFOLD_USER : TWOFOLD_PROVED), "%s: the bound is %s (%s)",
        method->options, TwofoldStandings[bound->standing], bound->origin);
  CHECK(bound->value >= error - 100 * PETSC_MACHINE_EPSILON * k->kappa * k->norm,
        "%s, case %d, t %d, k %d, kappa %g: error %g of %g, bound %g", method->options, (int)i, (int)t,
        (int)its, k->kappa, error, k->norm, bound->value);
  if (verbose)
    PetscCall(PetscPrintf(TEST_COMM, "case %g %d %d %g %g %g  %s %s\n", (double)k->kappa, (int)t, (int)its,
                          (double)k->norm, (double)error, (double)bound->value,
                          ((PetscObject)k->blp)->type_name, method->options));
  PetscFunctionReturn(0);
}

/* Makes n cases of a problem, each by one of the methods in turn. */
static PetscErrorCode Cases(BLPType type, const Synthetic *s, PetscInt n, PetscInt64 seed, PetscBool verbose)
{
  HG hg[NMETHODS] = {NULL};
  char text[256];
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(type, s, seed, &k));
  for (PetscInt i = 0, m = (PetscInt)(NMETHODS * Uniform(seed, 0)); i < n; i++) {
    do {
      m = (m + 1) % NMETHODS;
    } while (methods[m].map != s->map);
    PetscCall(
        PetscSNPrintf(text, sizeof(text), "-hg_certificate bound -hg_ksp_rtol 0 %s", methods[m].options));
    if (!hg[m]) PetscCall(HGMake(k.blp, NULL, text, &hg[m]));
    PetscCall(Draw(&k, i));
    PetscCall(OneCase(hg[m], &k, &methods[m], i, verbose));
    PetscCall(HGAccept(hg[m]));
  }
  for (int m = 0; m < NMETHODS; m++) PetscCall(HGDestroy(&hg[m]));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

static PetscErrorCode AllCases(PetscInt n, PetscInt64 seed, PetscBool verbose)
{
  const BLPTie ties[] = {BLP_TIE_OWN, BLP_TIE_CLASS, BLP_TIE_WEIGHT, BLP_TIE_SCALAR};
  Synthetic s = {.n = {14, 9, 0}, .p = 5, .c = 3, .density = 0.8, .seed = 11};
  const char **types;
  PetscInt ntypes;

  PetscFunctionBegin;
  PetscCall(BLPGetRegistered(&ntypes, &types));
  for (PetscInt i = 0; i < ntypes; i++) {
    if (!strcmp(types[i], BLPUSER)) {
      for (int map = 0; map < 2; map++) {
        s.map = (PetscBool)map;
        PetscCall(Cases(types[i], &s, n / 2, seed + 10 * (i + 8 * map), verbose));
      }
      s.map = PETSC_FALSE;
      continue;
    }
    for (int tie = 0; tie < 4; tie++) {
      s.tie = ties[tie];
      PetscCall(Cases(types[i], &s, (n + 3) / 4, seed + 10 * (i + 8 * tie), verbose));
    }
    s.tie = BLP_TIE_OWN;
  }
  PetscCall(PetscFree(types));
  PetscFunctionReturn(0);
}

/* Cases a problem on this number of ranks: together more than 500. */
static PetscErrorCode Count(PetscInt *n, PetscInt64 *seed)
{
  const PetscInt count[] = {0, 140, 80, 40, 40, 20, 20, 20};
  PetscMPIInt size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  *n = count[PetscMin(size, 7)];
  *seed = 1000 * size;
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  PetscBool verbose = PETSC_FALSE;
  PetscInt64 seed;
  PetscInt n;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(PetscOptionsHasName(NULL, NULL, "-verbose", &verbose));
  PetscCall(Count(&n, &seed));
  PetscCall(AllCases(n, seed, verbose));
  PetscCall(TestFinalize());
  return 0;
}
