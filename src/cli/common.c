/* What several commands need: shared options, the starting lambda, memory. */
#include <sys/resource.h>
#include "cli.h"

PetscErrorCode CliCommonFromOptions(CliCommon *common, const char default_dir[])
{
  char how[16] = "";

  PetscFunctionBegin;
  *common = (CliCommon){0};
  if (default_dir) PetscCall(PetscStrncpy(common->output_dir, default_dir, sizeof(common->output_dir)));
  PetscOptionsBegin(PETSC_COMM_WORLD, NULL, "Program options", "twofold");
  PetscCall(PetscOptionsBool("-quiet", "No progress lines", "twofold", common->quiet, &common->quiet, NULL));
  if (default_dir) {
    PetscCall(PetscOptionsBool("-error_if_not_converged", "Exit with 69 where a reason is negative",
                               "twofold", common->error_if_not_converged, &common->error_if_not_converged,
                               NULL));
    PetscCall(PetscOptionsString("-output_dir", "Run directory", "twofold", common->output_dir,
                                 common->output_dir, sizeof(common->output_dir), NULL));
  }
  PetscOptionsEnd();
  PetscCall(PetscOptionsHasName(NULL, NULL, "-cli_help", &common->help));
  PetscCall(PetscOptionsGetString(NULL, NULL, "-cli_help", how, sizeof(how), NULL));
  PetscCall(PetscStrcmp(how, "all", &common->help_all));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliLambdaOptions(void)
{
  PetscReal constant = 0;
  char file[PETSC_MAX_PATH_LEN] = "";

  PetscFunctionBegin;
  PetscOptionsBegin(PETSC_COMM_WORLD, NULL, "Program options: start", "twofold");
  PetscCall(PetscOptionsReal("-blp_lambda", "Starting lambda: a constant (else the problem's own)", "twofold",
                             constant, &constant, NULL));
  PetscCall(PetscOptionsString("-blp_lambda_file",
                               "Starting lambda: .txt, PETSc binary .bin, or .h5 (data set lambda)",
                               "twofold", file, file, sizeof(file), NULL));
  PetscOptionsEnd();
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliCreateLambda(BLP blp, Vec *lambda)
{
  PetscReal constant = 0;
  PetscBool has_constant, has_file;
  char file[PETSC_MAX_PATH_LEN];

  PetscFunctionBegin;
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-blp_lambda", &constant, &has_constant));
  PetscCall(PetscOptionsGetString(NULL, NULL, "-blp_lambda_file", file, sizeof(file), &has_file));
  PetscCheck(!has_constant || !has_file, PETSC_COMM_WORLD, PETSC_ERR_ARG_INCOMP,
             "-blp_lambda and -blp_lambda_file exclude each other");
  PetscCheck(!PetscIsInfOrNanReal(constant), PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_lambda %g: must be finite", (double)constant);
  PetscCall(BLPCreateVecs(blp, lambda, NULL));
  PetscCall(PetscObjectSetName((PetscObject)*lambda, "lambda"));
  if (has_constant)
    PetscCall(VecSet(*lambda, constant));
  else
    PetscCall(BLPGetStart(blp, *lambda));
  if (has_file) PetscCall(TwofoldVecLoad(*lambda, file));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliCreateProblem(const CliCommon *common, MPI_Comm comm, BLP *blp)
{
  PetscBool user;

  PetscFunctionBegin;
  PetscCall(BLPCreate(comm, blp));
  PetscCall(BLPSetFromOptions(*blp));
  PetscCall(PetscObjectTypeCompare((PetscObject)*blp, BLPUSER, &user));
  PetscCheck(
      !user || common->help, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
      "-blp_type user: its E and lower level are callbacks of a C program (twofold/blpuser.h), which this "
      "program has not; -help lists the types");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliHearData(void)
{
  DataSet ds;
  FeatureMat X;

  PetscFunctionBegin;
  PetscCall(DataSetCreate(PETSC_COMM_WORLD, &ds));
  PetscCall(DataSetSetFromOptions(ds));
  PetscCall(DataSetDestroy(&ds));
  PetscCall(FeatureMatCreate(PETSC_COMM_WORLD, &X));
  PetscCall(FeatureMatSetFromOptions(X));
  PetscCall(FeatureMatDestroy(&X));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliJudge(const CliCommon *common, PetscBool converged, const char reason[], int *code)
{
  PetscMPIInt rank;

  PetscFunctionBegin;
  if (converged || !common->error_if_not_converged) PetscFunctionReturn(PETSC_SUCCESS);
  *code = EXIT_NOTCONVERGED;
  PetscCallMPI(MPI_Comm_rank(PETSC_COMM_WORLD, &rank));
  if (rank == 0) fprintf(stderr, "twofold: error: ended by %s, with -error_if_not_converged\n", reason);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliPrintMemory(PetscLogDouble problem, PetscLogDouble solver)
{
  double bytes[2] = {problem, solver};
  PetscLogDouble peak;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, bytes, 2, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD));
  PetscCall(CliPeakMemory(&peak));
  PetscCall(
      PetscPrintf(PETSC_COMM_WORLD,
                  "memory per rank: problem %.0f MB + solvers %.0f MB (estimated) beside about 60 MB of "
                  "libraries; peak so far, with reading the data, %.0f MB\n",
                  bytes[0] / 1e6, bytes[1] / 1e6, peak / 1e6));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliPeakMemory(PetscLogDouble *bytes)
{
  struct rusage usage;
  double peak;

  PetscFunctionBegin;
  getrusage(RUSAGE_SELF, &usage);
  peak = 1024.0 * (double)usage.ru_maxrss;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &peak, 1, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD));
  *bytes = peak;
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliDescribeMap(FPM fpm, char text[], size_t len)
{
  char momentum[64] = "", optimal[160] = "";
  TwofoldConstant L, mu;
  PetscReal alpha, beta;
  FPMMethod method;
  FPMType type;

  PetscFunctionBegin;
  PetscCall(FPMGetType(fpm, &type));
  PetscCall(FPMGetMethod(fpm, &method));
  if (method == FPM_METHOD_OTHER) { /* a step size is not known of */
    PetscCall(PetscStrncpy(text, type, len));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(FPMGetStep(fpm, &alpha));
  PetscCall(FPMGetMomentum(fpm, &beta));
  PetscCall(FPMGetConstants(fpm, &L, &mu));
  if (beta > 0) PetscCall(PetscSNPrintf(momentum, sizeof(momentum), ", momentum %.12g", (double)beta));
  if (L.standing)
    PetscCall(PetscSNPrintf(optimal, sizeof(optimal), " (optimal for L %.6g and mu %.6g, %s)",
                            (double)L.value, (double)PetscMax(mu.value - mu.error, 0),
                            TwofoldStandings[PetscMax(L.standing, mu.standing)]));
  PetscCall(PetscSNPrintf(text, len, "%s, step %.12g%s%s", type, (double)alpha, momentum, optimal));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CliPrintChosenStep(HG hg)
{
  TwofoldConstant L, mu;
  char text[512];
  LLS lls;
  FPM fpm;

  PetscFunctionBegin;
  PetscCall(HGGetLLS(hg, &lls));
  PetscCall(LLSGetFPM(lls, &fpm));
  PetscCall(FPMGetConstants(fpm, &L, &mu));
  if (!L.standing) PetscFunctionReturn(PETSC_SUCCESS); /* the step is the user's number */
  PetscCall(CliDescribeMap(fpm, text, sizeof(text)));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "lower-level map        %s\n", text));
  PetscFunctionReturn(PETSC_SUCCESS);
}

void CliObjective(PetscReal f, char text[], size_t len)
{
  if (PetscIsInfOrNanReal(f))
    snprintf(text, len, "%s", PetscIsNanReal(f) ? "nan" : "inf");
  else
    snprintf(text, len, PetscAbsReal(f) < 1e6 ? "%.6f" : "%.6e", (double)f);
}

void CliDuration(double seconds, char text[], size_t len)
{
  const long s = (long)(seconds + 0.5);

  if (s < 60)
    snprintf(text, len, "%lds", s);
  else if (s < 3600)
    snprintf(text, len, "%ldm%02lds", s / 60, s % 60);
  else
    snprintf(text, len, "%ldh%02ldm", s / 3600, s / 60 % 60);
}
