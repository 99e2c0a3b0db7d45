/* Every Krylov method on the adjoint system: it reaches the dense solution, makes the steps asked for and
   says so, or is refused; preconditioners of the shell operator. */
#include "dense.h"
#include "files.h"
#include "normalequations.h"

enum { BOTH, SYMMETRIC, REFUSED };

/* Not here: pipebcgs, whose recurrences drift away from the true residual on the harder systems; pipelcg,
   which does not return from one step; fetidp, tsirm, which are for other operators. */
static const struct {
  KSPType type;
  int solves;       /* any system, only the symmetric map's, none */
  PetscBool counts; /* makes exactly K steps */
} methods[] = {
    {KSPRICHARDSON, BOTH, PETSC_TRUE},
    {KSPFIXEDPOINT, BOTH, PETSC_TRUE},
    {KSPCGNR, BOTH, PETSC_TRUE},
    {KSPCGNE, BOTH, PETSC_TRUE},
    {KSPLSQR, BOTH, PETSC_TRUE},
    {KSPCGLS, BOTH, PETSC_TRUE},
    {KSPGMRES, BOTH, PETSC_TRUE},
    {KSPFGMRES, BOTH, PETSC_TRUE},
    {KSPLGMRES, BOTH, PETSC_TRUE},
    {KSPDGMRES, BOTH, PETSC_TRUE},
    {KSPPGMRES, BOTH, PETSC_TRUE},
    {KSPPIPEFGMRES, BOTH, PETSC_TRUE},
    {KSPTCQMR, BOTH, PETSC_TRUE},
    {KSPBCGS, BOTH, PETSC_TRUE},
    {KSPIBCGS, BOTH, PETSC_TRUE},
    {KSPQMRCGS, BOTH, PETSC_TRUE},
    {KSPFBCGS, BOTH, PETSC_TRUE},
    {KSPFBCGSR, BOTH, PETSC_TRUE},
    {KSPBCGSL, BOTH, PETSC_TRUE},

    {KSPCGS, BOTH, PETSC_TRUE},
    {KSPTFQMR, BOTH, PETSC_TRUE},
    {KSPBICG, BOTH, PETSC_TRUE},
    {KSPLCD, BOTH, PETSC_TRUE},
    {KSPGCR, BOTH, PETSC_TRUE},
    {KSPPIPEGCR, BOTH, PETSC_TRUE},
    {KSPCHEBYSHEV, SYMMETRIC, PETSC_TRUE},
    {KSPCG, SYMMETRIC, PETSC_TRUE},
    {KSPSWEEPCG, SYMMETRIC, PETSC_TRUE},
    {KSPGROPPCG, SYMMETRIC, PETSC_TRUE},
    {KSPPIPECG, SYMMETRIC, PETSC_TRUE},
    {KSPPIPEPRCG, SYMMETRIC, PETSC_TRUE},
    {KSPPIPECG2, SYMMETRIC, PETSC_FALSE}, /* in pairs of steps */
    {KSPFCG, SYMMETRIC, PETSC_TRUE},
    {KSPPIPEFCG, SYMMETRIC, PETSC_TRUE},
    {KSPNASH, SYMMETRIC, PETSC_TRUE},
    {KSPSTCG, SYMMETRIC, PETSC_TRUE},
    {KSPGLTR, SYMMETRIC, PETSC_TRUE},
    {KSPCR, SYMMETRIC, PETSC_TRUE},
    {KSPPIPECR, SYMMETRIC, PETSC_TRUE},
    {KSPMINRES, SYMMETRIC, PETSC_TRUE},
    {KSPSYMMLQ, SYMMETRIC, PETSC_TRUE},
    {KSPPREONLY, REFUSED, PETSC_FALSE},
    {KSPNONE, REFUSED, PETSC_FALSE},
    {KSPQCG, REFUSED, PETSC_FALSE},
};

static const Synthetic spec = {.n = {13, 11, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1};

typedef struct {
  BLP blp;
  Dense *dense;
  Vec lambda, g;
  PetscReal *l, *expected;
} Case;

static PetscErrorCode CaseCreate(Case *k)
{
  PetscFunctionBegin;
  PetscCall(SyntheticProblem(TEST_COMM, BLPSOFTMAX, &spec, &k->blp));
  PetscCall(DenseCreate(BLPSOFTMAX, &spec, &k->dense));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, NULL));
  PetscCall(VecDuplicate(k->lambda, &k->g));
  PetscCall(PetscMalloc2(spec.p, &k->l, spec.p, &k->expected));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->g));
  PetscCall(PetscFree2(k->l, k->expected));
  PetscCall(DenseDestroy(&k->dense));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* Around `mean`: the larger, the larger are the eigenvalues of the system. */
static PetscErrorCode SetLambda(Case *k, PetscReal mean)
{
  PetscFunctionBegin;
  PetscCall(SyntheticLambda(k->blp, &spec, 7, 0.5, mean, k->lambda));
  PetscCall(VecGather(k->lambda, k->l));
  PetscFunctionReturn(0);
}

static void Options(char text[320], const char ksp[], const char map[], const char more[])
{
  snprintf(text, 320,
           "-lls_max_it 3 -lls_fpm_step 0.1 -hg_ksp_type %s -hg_fpm_type %s -hg_fpm_step 0.4 "
           "-hg_fpm_momentum 0.3 %s",
           ksp, map, more);
}

/* g of the last solve against the dense one at its w_t. */
static PetscErrorCode CheckDense(Case *k, HG hg, const char map[], PetscReal tolerance, const char what[])
{
  const DenseMap dense_map = {map, 0.4, 0.3};
  const PetscInt nw = k->dense->nw;
  PetscReal *x, difference;
  State state;

  PetscFunctionBegin;
  PetscCall(PetscMalloc1(2 * nw, &x));
  PetscCall(HGGetState(hg, &state));
  PetscCall(VecGather(state->v[0], x));
  PetscCall(PetscArraycpy(x + nw, x, nw));
  PetscCall(DenseImplicit(k->dense, &dense_map, k->l, x, NULL, k->expected));
  PetscCall(VecDifference(k->g, k->expected, &difference));
  CHECK(difference <= tolerance, "%s on %s: differs by %g", what, map, difference);
  PetscCall(PetscFree(x));
  PetscFunctionReturn(0);
}

static PetscErrorCode CheckReason(HG hg, HGConvergedReason reason, PetscInt its, const char what[])
{
  HGReport report;

  PetscFunctionBegin;
  PetscCall(HGGetReport(hg, &report));
  CHECK(report.reason == reason && (its < 0 || report.adjoint_its == its),
        "%s: %s (%s after %d steps, residual %g) instead of %s", what, HGConvergedReasons[report.reason],
        KSPConvergedReasons[report.adjoint_reason], (int)report.adjoint_its, report.adjoint_residual,
        HGConvergedReasons[reason]);
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ methods */

/* To a tolerance of 1e-12, with eigenvalues between about 0.1 and 1: g to 1e-11. Then with larger
   eigenvalues: what a method keeps of the operator must follow. */
static PetscErrorCode Converges(Case *k, const char ksp[], const char map[])
{
  char text[320];
  const PetscBool fixed_point = (PetscBool)(!strcmp(ksp, KSPRICHARDSON) || !strcmp(ksp, KSPFIXEDPOINT));
  PetscReal f;
  HG hg;

  PetscFunctionBegin;
  Options(text, ksp, map, "-hg_ksp_rtol 1e-12");
  PetscCall(SetLambda(k, 2));
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(CheckReason(hg, HG_CONVERGED_ITS, -1, ksp)); /* the lower level's three */
  PetscCall(CheckDense(k, hg, map, 1e-11, ksp));
  if (!fixed_point) { /* for it these are too large */
    PetscCall(SetLambda(k, 3.5));
    PetscCall(HGSolve(hg, k->lambda, &f, k->g));
    PetscCall(CheckReason(hg, HG_CONVERGED_ITS, -1, ksp));
    PetscCall(CheckDense(k, hg, map, 1e-11, ksp));
    PetscCall(SetLambda(k, 2));
  }
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* Exactly K steps are what was asked for; with a tolerance, K steps are too few. */
static PetscErrorCode CountsSteps(Case *k, const char ksp[], PetscBool counts)
{
  char text[320];
  PetscReal f;
  HG hg;

  PetscFunctionBegin;
  for (PetscInt K = 0; K <= 4; K += 4) {
    Options(text, ksp, FPMGD, K ? "-hg_ksp_rtol 0 -hg_ksp_max_it 4" : "-hg_ksp_rtol 0 -hg_ksp_max_it 0");
    PetscCall(HGMake(k->blp, NULL, text, &hg));
    PetscCall(HGSolve(hg, k->lambda, &f, k->g));
    if (counts || K == 0)
      PetscCall(CheckReason(hg, HG_CONVERGED_ITS, K, ksp));
    else
      PetscCall(CheckReason(hg, HG_DIVERGED_ITS, -1, ksp));
    PetscCall(HGDestroy(&hg));
  }
  Options(text, ksp, FPMGD, "-hg_ksp_rtol 1e-12 -hg_ksp_max_it 3");
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(CheckReason(hg, HG_DIVERGED_ITS, -1, ksp));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

static PetscErrorCode Quiet(KSP ksp, PetscInt it, PetscReal norm, void *ctx)
{
  (void)ksp;
  (void)it;
  (void)norm;
  (void)ctx;
  return 0;
}

/* fixedpoint makes richardson's steps and tells its residual, whatever their number and the map: also where
   it makes them all at once, which it does not for a monitor. */
static PetscErrorCode IsRichardson(Case *k, const char map[], PetscInt steps)
{
  const char *const ksps[] = {KSPRICHARDSON, KSPFIXEDPOINT, KSPFIXEDPOINT};
  char text[320], more[96];
  HGReport report[3];
  PetscReal f, difference;
  Vec g;

  PetscFunctionBegin;
  PetscCall(VecDuplicate(k->g, &g));
  for (int i = 0; i < 3; i++) {
    HG hg;
    KSP ksp;
    PetscCall(PetscSNPrintf(more, sizeof(more), "-hg_ksp_rtol 0 -hg_ksp_max_it %d", (int)steps));
    Options(text, ksps[i], map, more);
    PetscCall(HGMake(k->blp, NULL, text, &hg));
    PetscCall(HGGetKSP(hg, &ksp));
    if (i == 2) PetscCall(KSPMonitorSet(ksp, Quiet, NULL, NULL));
    PetscCall(HGSolve(hg, k->lambda, &f, i ? k->g : g));
    PetscCall(HGGetReport(hg, &report[i]));
    PetscCall(HGDestroy(&hg));
    if (!i) continue;
    PetscCall(RelativeDifference(k->g, g, &difference));
    CHECK(difference <= 1e-13, "%s, %d steps: g differs by %g from richardson's", map, (int)steps,
          difference);
    CHECK(report[i].adjoint_its == steps && report[i].reason == report[0].reason, "%s: %d steps for %d", map,
          (int)report[i].adjoint_its, (int)steps);
    difference = PetscAbsReal(report[i].adjoint_residual - report[0].adjoint_residual);
    CHECK(difference <= 1e-13 * (1 + report[0].adjoint_residual), "%s, %d steps: residual %g instead of %g",
          map, (int)steps, report[i].adjoint_residual, report[0].adjoint_residual);
  }
  PetscCall(VecDestroy(&g));
  PetscFunctionReturn(0);
}

static PetscErrorCode SetUpAndSolve(Case *k, HG hg, PetscBool solve)
{
  PetscReal f;

  PetscFunctionBegin;
  PetscCall(HGSetUp(hg));
  if (solve) PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscFunctionReturn(0);
}

/* Refused with this message, by us when it is set up, by a preconditioner at the latest when it is applied;
 * `prefix` may be NULL. */
static PetscErrorCode Refused(Case *k, const char prefix[], const char text[], PetscErrorCode code,
                              const char says[])
{
  PetscOptions options;
  HG hg;

  PetscFunctionBegin;
  PetscCall(OptionsUse(text, &options));
  PetscCall(HGCreate(TEST_COMM, &hg));
  PetscCall(HGSetOptionsPrefix(hg, prefix));
  PetscCall(HGSetBLP(hg, k->blp));
  PetscCall(HGSetFromOptions(hg));
  CHECK_SAYS(code, says, SetUpAndSolve(k, hg, (PetscBool)(strstr(text, "pc_type") != NULL)));
  PetscCall(OptionsDrop(&options));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

static PetscErrorCode Methods(Case *k)
{
  const char *const maps[] = {FPMGD, FPMHEAVYBALL, FPMNESTEROV};
  const PetscInt steps[] = {1, 2, 3, 4, 38}; /* the last in two pieces */
  char text[320], says[160];

  PetscFunctionBegin;
  PetscCall(SetLambda(k, 2));
  for (int i = 0; i < 3; i++)
    for (int s = 0; s < 5; s++) PetscCall(IsRichardson(k, maps[i], steps[s]));
  for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
    const char *const ksp = methods[i].type;
    if (methods[i].solves == REFUSED) {
      Options(text, ksp, FPMGD, "");
      PetscCall(PetscSNPrintf(says, sizeof(says), "-hg_ksp_type %s ", ksp));
      PetscCall(Refused(k, NULL, text, PETSC_ERR_SUP, says));
      continue;
    }
    PetscCall(Converges(k, ksp, FPMGD));
    PetscCall(CountsSteps(k, ksp, methods[i].counts));
    if (methods[i].solves == BOTH) {
      PetscCall(Converges(k, ksp, FPMHEAVYBALL));
      continue;
    }
    Options(text, ksp, FPMHEAVYBALL, "");
    PetscCall(PetscSNPrintf(says, sizeof(says),
                            "-hg_ksp_type %s needs a symmetric d1Phi; heavyball is not: use -hg_ksp_type "
                            "gmres, or -hg_fpm_type gd",
                            ksp));
    PetscCall(Refused(k, NULL, text, PETSC_ERR_SUP, says));
  }
  PetscCall(
      Refused(k, "a_", "-a_hg_ksp_type cg -a_hg_fpm_type heavyball", PETSC_ERR_SUP,
              "-a_hg_ksp_type cg needs a symmetric d1Phi; heavyball is not: use -a_hg_ksp_type gmres, or "
              "-a_hg_fpm_type gd"));
  PetscFunctionReturn(0);
}

/* More steps than the system needs end at rounding level, however the method takes it. */
static PetscErrorCode ManySteps(Case *k)
{
  const char *const exact[] = {KSPCG, KSPGMRES, KSPBCGS, KSPCR, KSPSYMMLQ, KSPMINRES, KSPFCG, KSPCGNR};
  char text[320];
  PetscReal f;
  HG hg;

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(exact) / sizeof(exact[0]); i++) {
    Options(text, exact[i], FPMGD, "-hg_ksp_rtol 0 -hg_ksp_max_it 1000");
    PetscCall(HGMake(k->blp, NULL, text, &hg));
    PetscCall(HGSolve(hg, k->lambda, &f, k->g));
    PetscCall(CheckReason(hg, HG_CONVERGED_ITS, -1, exact[i]));
    PetscCall(CheckDense(k, hg, FPMGD, 1e-13, exact[i]));
    PetscCall(HGDestroy(&hg));
  }
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ preconditioners */

static PetscErrorCode Preconditioned(Case *k, const char ksp[], const char map[], const char more[])
{
  char text[320];
  PetscReal f;
  HG hg;

  PetscFunctionBegin;
  Options(text, ksp, map, "-hg_ksp_rtol 1e-12 ");
  strcat(text, more);
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  for (int i = 0; i < 2; i++) {
    PetscCall(SetLambda(k, i ? 3.5 : 2));
    PetscCall(HGSolve(hg, k->lambda, &f, k->g));
    PetscCall(CheckReason(hg, HG_CONVERGED_ITS, -1, more));
    PetscCall(CheckDense(k, hg, map, 1e-11, more));
  }
  PetscCall(SetLambda(k, 2));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* An option of the preconditioner reaches it, with and without a prefix, and no other. */
static PetscErrorCode PreconditionerOptions(Case *k)
{
  const char *const prefix[] = {NULL, "a_"};
  PCType type;
  PetscBool mat;
  KSP ksp;
  PC pc;
  HG hg;

  PetscFunctionBegin;
  for (int i = 0; i < 2; i++) {
    PetscCall(HGMake(
        k->blp, prefix[i],
        i ? "-pc_type jacobi -hg_pc_type jacobi -a_hg_pc_type mat" : "-pc_type jacobi -hg_pc_type mat", &hg));
    PetscCall(HGGetKSP(hg, &ksp));
    PetscCall(KSPGetPC(ksp, &pc));
    PetscCall(PCGetType(pc, &type));
    PetscCall(PetscStrcmp(type, PCMAT, &mat));
    CHECK(mat, "preconditioner %s instead of mat", type);
    PetscCall(HGDestroy(&hg));
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Preconditioners(Case *k)
{
  const char *const
      inner_cg = "-hg_pc_type ksp -hg_ksp_ksp_type cg -hg_ksp_pc_type none -hg_ksp_ksp_rtol 1e-14",
      *const inner_gmres = "-hg_pc_type ksp -hg_ksp_ksp_type gmres -hg_ksp_pc_type none "
                           "-hg_ksp_ksp_rtol 1e-14",
      *const rough = "-hg_pc_type ksp -hg_ksp_ksp_type gmres -hg_ksp_pc_type none "
                     "-hg_ksp_ksp_max_it 4 -hg_ksp_ksp_convergence_test skip",
      *const mat = "-hg_pc_type mat", *const both = "-hg_pc_type composite -hg_pc_composite_pcs none,mat";

  PetscFunctionBegin;
  PetscCall(Preconditioned(k, KSPCG, FPMGD, inner_cg));
  PetscCall(Preconditioned(k, KSPPREONLY, FPMGD, inner_cg));
  PetscCall(Preconditioned(k, KSPPREONLY, FPMHEAVYBALL, inner_gmres));
  PetscCall(Preconditioned(k, KSPFGMRES, FPMGD, rough));
  PetscCall(Preconditioned(k, KSPFGMRES, FPMHEAVYBALL, rough));
  PetscCall(Preconditioned(k, KSPGMRES, FPMGD, mat));
  PetscCall(Preconditioned(k, KSPCG, FPMGD, both));
  PetscCall(Preconditioned(k, KSPGMRES, FPMHEAVYBALL, both));
  /* what reads entries of the matrix */
  PetscCall(Refused(k, NULL, "-hg_ksp_type cgnr -hg_pc_type mat", PETSC_ERR_SUP,
                    "-hg_ksp_type cgnr has no preconditioner: use -hg_ksp_type cgne"));
  PetscCall(
      Refused(k, NULL, "-hg_ksp_type gmres -hg_pc_type jacobi", PETSC_ERR_SUP,
              "-hg_pc_type jacobi needs the entries of the matrix, and there are only products with it: "
              "use -hg_precond jacobi"));
  PetscCall(Refused(k, "a_", "-a_hg_pc_type lu", PETSC_ERR_SUP, "use -a_hg_precond jacobi"));
  PetscCall(PreconditionerOptions(k));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  Case k;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(CaseCreate(&k));
  PetscCall(SetLambda(&k, 2));
  PetscCall(Methods(&k));
  PetscCall(ManySteps(&k));
  PetscCall(NormalEquations(k.blp, k.lambda, "-lls_max_it 3 -lls_fpm_step 0.1 -hg_fpm_step 0.4"));
  PetscCall(NormalEquations(k.blp, k.lambda,
                            "-lls_max_it 3 -lls_fpm_step 0.1 -hg_fpm_step 0.4 -hg_fpm_type heavyball "
                            "-hg_fpm_momentum 0.3"));
  PetscCall(Preconditioners(&k));
  PetscCall(CaseDestroy(&k));
  PetscCall(TestFinalize());
  return 0;
}
