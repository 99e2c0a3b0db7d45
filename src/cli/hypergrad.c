/* twofold hypergrad: one hypergradient at a given lambda. */
#include <math.h>
#include "cli.h"

static PetscErrorCode PrintGradient(const HGReport *r, Vec g)
{
  PetscInt n, where[2];
  PetscReal low, high;

  PetscFunctionBegin;
  PetscCall(VecGetSize(g, &n));
  PetscCall(VecMin(g, &where[0], &low));
  PetscCall(VecMax(g, &where[1], &high));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "hypergradient norm     %.15e\n", (double)r->norm));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "  entries              %" PetscInt_FMT ", least %.6e (%" PetscInt_FMT
                        "), largest %.6e (%" PetscInt_FMT ")\n",
                        n, (double)low, where[0], (double)high, where[1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Where there is no adjoint system. */
static PetscErrorCode PrintSteps(HG hg, const HGReport *r)
{
  HGITDMode mode;
  PetscBool itd;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)hg, HGITD, &itd));
  if (!itd) {
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "adjoint                none, by closed form\n"));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(HGITDGetMode(hg, &mode));
  if (mode == HG_ITD_FORWARD) /* the time of its first block is in the lower level's */
    PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                          "forward mode           %" PetscInt_FMT " steps, %.3f s after the lower level's\n",
                          r->adjoint_its, r->adjoint_time));
  else
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "reverse sweep          %" PetscInt_FMT " steps, %.3f s\n",
                          r->adjoint_its, r->adjoint_time));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrintAdjoint(HG hg, const HGReport *r)
{
  PetscFunctionBegin;
  if (r->reason <= HG_DIVERGED_LOWER && r->reason != HG_DIVERGED_ADJOINT)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "adjoint                not computed\n"));
  else if (r->adjoint_residual >= 0)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                          "adjoint                %" PetscInt_FMT
                          " steps, %s, relative residual %.3e, %.3f s\n",
                          r->adjoint_its, KSPConvergedReasons[r->adjoint_reason], (double)r->adjoint_residual,
                          r->adjoint_time));
  else
    PetscCall(PrintSteps(hg, r));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrintLanczos(HG hg)
{
  TwofoldConstant L, mu;

  PetscFunctionBegin;
  PetscCall(HGGetLanczos(hg, &L, &mu));
  if (!L.standing) PetscFunctionReturn(PETSC_SUCCESS); /* nobody asked for them */
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "Lanczos values         largest %.9e, smallest %.9e (%s, %" PetscInt_FMT " steps)\n",
                        (double)L.value, (double)mu.value, L.origin, L.products));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrintChebyshev(HG hg)
{
  TwofoldConstant a, b;

  PetscFunctionBegin;
  PetscCall(HGGetChebyshevInterval(hg, &a, &b));
  if (!a.standing) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "Chebyshev's interval   %.9e to %.9e (%s; %s)\n",
                        (double)(a.value - a.error), (double)(b.value + b.error), a.origin, b.origin));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrintBound(HG hg, const TwofoldConstant *bound)
{
  HGCertificate what;
  PetscBool correct;

  PetscFunctionBegin;
  PetscCall(HGGetCertificate(hg, &what));
  PetscCall(HGGetCorrect(hg, &correct));
  if (what != HG_CERTIFICATE_BOUND && what != HG_CERTIFICATE_BOTH) PetscFunctionReturn(PETSC_SUCCESS);
  if (bound->standing == TWOFOLD_UNKNOWN)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "error bound            none: %s\n", bound->origin));
  else
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%s     %.6e%s (%s, %" PetscInt_FMT " products: %s)\n",
                          bound->standing == TWOFOLD_PROVED ? "error certificate " : "computed bound    ",
                          (double)bound->value, correct ? " after the correction" : "",
                          TwofoldStandings[bound->standing], bound->products, bound->origin));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrintEstimate(HG hg, const TwofoldConstant *estimate)
{
  HGCertificate what;
  PetscBool correct;

  PetscFunctionBegin;
  PetscCall(HGGetCertificate(hg, &what));
  PetscCall(HGGetCorrect(hg, &correct));
  if (!correct && what != HG_CERTIFICATE_ESTIMATE && what != HG_CERTIFICATE_BOTH)
    PetscFunctionReturn(PETSC_SUCCESS);
  if (estimate->standing == TWOFOLD_UNKNOWN)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "error estimate         none: %s\n", estimate->origin));
  else
    PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                          "error estimate         %.6e%s (%" PetscInt_FMT " products: %s)\n",
                          (double)estimate->value, correct ? " before the correction" : "",
                          estimate->products, estimate->origin));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Where the numbers of steps were not the caller's. */
static PetscErrorCode PrintWork(HG hg, const HGReport *r)
{
  PetscReal rtol, atol;

  PetscFunctionBegin;
  PetscCall(HGGetTolerance(hg, &rtol, &atol));
  if (rtol == 0 && atol == 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "work                   %" PetscInt_FMT " steps", r->lower_its));
  if (r->lower_products)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, " and %" PetscInt_FMT " products", r->lower_products));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        " of the lower level, %" PetscInt_FMT " products of the adjoint, %" PetscInt_FMT
                        " to know the error\n",
                        r->adjoint_products, r->certificate_products));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode PrintResult(HG hg, PetscReal f, Vec g)
{
  HGReport r;

  PetscFunctionBegin;
  PetscCall(HGGetReport(hg, &r));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "objective f            %.15e\n", (double)f));
  if (r.reason >= HG_DIVERGED_NANORINF)
    PetscCall(PrintGradient(&r, g));
  else
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "hypergradient          none\n"));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "lower level            %" PetscInt_FMT " steps, %s, %.3f s\n",
                        r.lower_its, LLSConvergedReasons[r.lower_reason], r.lower_time));
  PetscCall(CliPrintChosenStep(hg));
  PetscCall(PrintAdjoint(hg, &r));
  PetscCall(PrintLanczos(hg));
  PetscCall(PrintChebyshev(hg));
  PetscCall(PrintBound(hg, &r.bound));
  PetscCall(PrintEstimate(hg, &r.estimate));
  PetscCall(PrintWork(hg, &r));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "reason                 %s\n", HGConvergedReasons[r.reason]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteSummary(RunDir dir, HG hg, PetscReal f)
{
  HGReport r;
  HGType type;
  TwofoldConstant L, mu, a, b;
  PetscReal step, momentum;
  LLS lls;
  FPM fpm;
  FILE *file;

  PetscFunctionBegin;
  PetscCall(HGGetReport(hg, &r));
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSGetFPM(lls, &fpm));
  PetscCall(FPMGetStep(fpm, &step));
  PetscCall(FPMGetMomentum(fpm, &momentum));
  PetscCall(HGGetLanczos(hg, &L, &mu));
  PetscCall(HGGetChebyshevInterval(hg, &a, &b));
  PetscCall(HGGetType(hg, &type));
  PetscCall(RunDirOpenAside(dir, "summary.json", &file));
  if (file) {
    Json json;
    JsonBegin(&json, file);
    JsonString(&json, "command", "hypergrad");
    JsonString(&json, "version", TWOFOLD_VERSION);
    JsonString(&json, "hypergradient", type);
    JsonReal(&json, "objective", f);
    JsonReal(&json, "hypergradient_norm", r.reason >= HG_DIVERGED_NANORINF ? r.norm : NAN);
    JsonInt(&json, "lower_steps", r.lower_its);
    JsonInt(&json, "adjoint_steps", r.adjoint_its);
    JsonInt(&json, "lower_products", r.lower_products);
    JsonInt(&json, "adjoint_products", r.adjoint_products);
    JsonInt(&json, "certificate_products", r.certificate_products);
    JsonReal(&json, "adjoint_residual", r.adjoint_residual < 0 ? NAN : r.adjoint_residual);
    JsonString(&json, "reason", HGConvergedReasons[r.reason]);
    JsonReal(&json, "lower_s", r.lower_time);
    JsonReal(&json, "adjoint_s", r.adjoint_time);
    JsonReal(&json, "lower_step", step);
    JsonReal(&json, "lower_momentum", momentum);
    if (L.standing) JsonConstant(&json, "lanczos_L", &L);
    if (mu.standing) JsonConstant(&json, "lanczos_mu", &mu);
    if (a.standing) JsonConstant(&json, "chebyshev_from", &a);
    if (b.standing) JsonConstant(&json, "chebyshev_to", &b);
    if (r.bound.standing) JsonConstant(&json, "error_bound", &r.bound);
    if (r.estimate.standing) JsonConstant(&json, "error_estimate", &r.estimate);
    JsonEnd(&json);
  }
  PetscCall(RunDirCommit(dir, "summary.json", &file));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CommandHypergrad(int *code)
{
  CliCommon common;
  BLP blp;
  HG hg;
  Vec lambda, g;
  PetscReal f;
  PetscLogDouble problem, solver;
  HGConvergedReason reason;
  RunDir dir = NULL;

  PetscFunctionBegin;
  /* 1. objects and their options */
  PetscCall(CliCommonFromOptions(&common, ""));
  PetscCall(CliLambdaOptions());
  PetscCall(CliCreateProblem(&common, PETSC_COMM_WORLD, &blp));
  PetscCall(HGCreate(PETSC_COMM_WORLD, &hg));
  PetscCall(HGSetBLP(hg, blp));
  PetscCall(HGSetFromOptions(hg));
  if (common.help) {
    PetscCall(CliHearData());
    PetscCall(CliHelpPrint(common.help_all));
    PetscCall(HGDestroy(&hg));
    PetscCall(BLPDestroy(&blp));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(CliCheckValues());
  /* 2. data, spaces, solvers; then no option may be left unread */
  PetscCall(BLPSetUp(blp));
  PetscCall(HGSetUp(hg));
  PetscCall(CliCreateLambda(blp, &lambda));
  PetscCall(CliRefuseUnusedOptions());
  if (common.output_dir[0]) PetscCall(RunDirCreate(common.output_dir, PETSC_FALSE, PETSC_FALSE, &dir));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(BLPGetMemory(blp, &problem));
  PetscCall(HGGetMemory(hg, &solver));
  if (!common.quiet) PetscCall(CliPrintMemory(problem, solver));
  /* 3. the hypergradient */
  PetscCall(HGSolve(hg, lambda, &f, g));
  PetscCall(PrintResult(hg, f, g));
  if (dir) {
    PetscCall(RunDirWriteOptions(dir, "hypergrad"));
    PetscCall(WriteSummary(dir, hg, f));
    PetscCall(CliWriteSolution(dir, blp, hg, lambda, NULL));
    PetscCall(RunDirDestroy(&dir));
  }
  PetscCall(HGGetConvergedReason(hg, &reason));
  PetscCall(CliJudge(&common, (PetscBool)(reason > 0), HGConvergedReasons[reason], code));
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&lambda));
  PetscCall(HGDestroy(&hg));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}
