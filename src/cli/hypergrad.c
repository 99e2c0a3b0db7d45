/* twofold hypergrad: one hypergradient at a given lambda. */
#include "cli.h"

static PetscErrorCode PrintResult(HG hg, PetscReal f, Vec g)
{
  HGReport r;
  PetscInt n, where[2];
  PetscReal low, high;

  PetscFunctionBegin;
  PetscCall(HGGetReport(hg, &r));
  PetscCall(VecGetSize(g, &n));
  PetscCall(VecMin(g, &where[0], &low));
  PetscCall(VecMax(g, &where[1], &high));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "objective f            %.15e\n", (double)f));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "hypergradient norm     %.15e\n", (double)r.norm));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                        "  entries              %" PetscInt_FMT ", least %.6e (%" PetscInt_FMT
                        "), largest %.6e (%" PetscInt_FMT ")\n",
                        n, (double)low, where[0], (double)high, where[1]));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "lower level            %" PetscInt_FMT " steps, %s, %.3f s\n",
                        r.lower_its, LLSConvergedReasons[r.lower_reason], r.lower_time));
  if (r.adjoint_residual >= 0)
    PetscCall(PetscPrintf(
        PETSC_COMM_WORLD,
        "adjoint                %" PetscInt_FMT " steps, %s, relative residual %.3e, %.3f s\n", r.adjoint_its,
        KSPConvergedReasons[r.adjoint_reason], (double)r.adjoint_residual, r.adjoint_time));
  else
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "reverse sweep          %" PetscInt_FMT " steps, %.3f s\n",
                          r.adjoint_its, r.adjoint_time));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "reason                 %s\n", HGConvergedReasons[r.reason]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteSummary(RunDir dir, HG hg, PetscReal f)
{
  HGReport r;
  HGType type;
  FILE *file;

  PetscFunctionBegin;
  PetscCall(HGGetReport(hg, &r));
  PetscCall(HGGetType(hg, &type));
  PetscCall(RunDirOpenAside(dir, "summary.json", &file));
  if (file) {
    Json json;
    JsonBegin(&json, file);
    JsonString(&json, "command", "hypergrad");
    JsonString(&json, "version", TWOFOLD_VERSION);
    JsonString(&json, "hypergradient", type);
    JsonReal(&json, "objective", f);
    JsonReal(&json, "hypergradient_norm", r.norm);
    JsonInt(&json, "lower_steps", r.lower_its);
    JsonInt(&json, "adjoint_steps", r.adjoint_its);
    JsonReal(&json, "adjoint_residual", r.adjoint_residual < 0 ? PETSC_INFINITY : r.adjoint_residual);
    JsonString(&json, "reason", HGConvergedReasons[r.reason]);
    JsonReal(&json, "lower_s", r.lower_time);
    JsonReal(&json, "adjoint_s", r.adjoint_time);
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

  PetscFunctionBegin;
  /* 1. objects and their options */
  PetscCall(CliCommonFromOptions(&common, ""));
  PetscCall(CliLambdaOptions());
  PetscCall(BLPCreate(PETSC_COMM_WORLD, &blp));
  PetscCall(BLPSetFromOptions(blp));
  PetscCall(HGCreate(PETSC_COMM_WORLD, &hg));
  PetscCall(HGSetBLP(hg, blp));
  PetscCall(HGSetFromOptions(hg));
  if (common.help) {
    PetscCall(CliHelpPrint(common.help_all));
    PetscCall(HGDestroy(&hg));
    PetscCall(BLPDestroy(&blp));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  /* 2. data, spaces, solvers; then no option may be left unread */
  PetscCall(BLPSetUp(blp));
  PetscCall(HGSetUp(hg));
  PetscCall(CliCreateLambda(blp, &lambda));
  PetscCall(CliRefuseUnusedOptions());
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(BLPGetMemory(blp, &problem));
  PetscCall(HGGetMemory(hg, &solver));
  if (!common.quiet) PetscCall(CliPrintMemory(problem, solver));
  /* 3. the hypergradient */
  PetscCall(HGSolve(hg, lambda, &f, g));
  PetscCall(PrintResult(hg, f, g));
  if (common.output_dir[0]) {
    RunDir dir;
    PetscCall(RunDirCreate(common.output_dir, "hypergrad", PETSC_FALSE, &dir));
    PetscCall(WriteSummary(dir, hg, f));
    PetscCall(RunDirDestroy(&dir));
  }
  PetscCall(HGGetConvergedReason(hg, &reason));
  if (reason < 0 && common.error_if_not_converged) *code = EXIT_NOTCONVERGED;
  PetscCall(VecDestroy(&g));
  PetscCall(VecDestroy(&lambda));
  PetscCall(HGDestroy(&hg));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}
