/* The options of twofold study. */
#include <math.h>
#include "study.h"

enum { MAX_STEPS = 100000, MAX_CORNER = 4096 };

/* ------------------------------------------------------------------ the box of lambda */

static PetscErrorCode ReadBox(Study *study, PetscOptionItems *PetscOptionsObject)
{
  PetscFunctionBegin;
  PetscCall(PetscMalloc2(MAX_CORNER + 1, &study->low, MAX_CORNER + 1, &study->high));
  study->low[0] = 0.5;
  study->high[0] = 1;
  study->nlow = study->nhigh = MAX_CORNER + 1;
  PetscCall(PetscOptionsRealArray(
      "-study_lambda_min", "Least entries of lambda: one number, or one an entry, the last for all behind it",
      "twofold", study->low, &study->nlow, NULL));
  PetscCall(PetscOptionsRealArray("-study_lambda_max", "Largest entries, likewise", "twofold", study->high,
                                  &study->nhigh, NULL));
  PetscCall(PetscOptionsBool("-study_lambda_log", "Uniform in the logarithm of lambda", "twofold",
                             study->logarithmic, &study->logarithmic, NULL));
  study->nlow = PetscMax(study->nlow, 1); /* not given: 0 */
  study->nhigh = PetscMax(study->nhigh, 1);
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StudyCheckBox(const Study *study, PetscInt nlambda)
{
  const PetscInt n = PetscMax(study->nlow, study->nhigh), most = PetscMin(nlambda, MAX_CORNER);

  PetscFunctionBegin;
  PetscCheck(n <= most, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "%s has %s%" PetscInt_FMT " numbers, and lambda %" PetscInt_FMT " entries",
             study->nlow == n ? "-study_lambda_min" : "-study_lambda_max", n > MAX_CORNER ? "at least " : "",
             n, nlambda);
  for (PetscInt i = 0; i < n; i++) {
    const PetscReal low = study->low[PetscMin(i, study->nlow - 1)],
                    high = study->high[PetscMin(i, study->nhigh - 1)];
    PetscCheck(isfinite(low) && isfinite(high), PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
               "entry %" PetscInt_FMT
               " of the box goes from -study_lambda_min %g to -study_lambda_max %g: must "
               "be finite",
               i, (double)low, (double)high);
    PetscCheck(low <= high, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
               "-study_lambda_min %g: above -study_lambda_max %g: the box is empty in entry %" PetscInt_FMT,
               (double)low, (double)high, i);
    PetscCheck(!study->logarithmic || low > 0, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
               "-study_lambda_min %g: must be positive with -study_lambda_log", (double)low);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ what the study sets itself */

/* The type of a hypergradient, its solvers' steps and tolerances are what the study goes through; Lanczos
   values have room for the steps of the set-up alone. */
const char *const StudyOwnOptions[] = {"-hg_type",        "-hg_ksp_type",
                                       "-hg_ksp_max_it",  "-hg_ksp_rtol",
                                       "-hg_ksp_atol",    "-lls_max_it",
                                       "-lls_rtol",       "-lls_atol",
                                       "-lls_warm_start", "-hg_warm_start",
                                       "-hg_tol",         "-hg_tol_absolute",
                                       "-hg_lanczos",     NULL};

static PetscErrorCode RefuseMethodOptions(void)
{
  PetscFunctionBegin;
  for (const char *const *own = StudyOwnOptions; *own; own++) {
    PetscBool given;
    PetscCall(PetscOptionsHasName(NULL, NULL, *own, &given));
    PetscCheck(!given, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
               "%s: twofold study sets the methods and their steps by -study_methods and -study_at, and "
               "starts from 0: leave it out",
               *own);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ all */

static PetscErrorCode CheckNumbers(const Study *study)
{
  PetscMPIInt size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCheck(study->samples > 0, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "-study_samples %" PetscInt_FMT ": must be positive", study->samples);
  PetscCheck(study->groups > 0 && study->groups <= size, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "-study_groups %" PetscInt_FMT ": must be from 1 to the number of ranks, %d", study->groups,
             size);
  const PetscInt64 rows = (PetscInt64)study->samples * study->nmethods * study->nat;
  PetscCheck(rows <= 10000000, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "%" PetscInt64_FMT " rows, one for each lambda, method and number of steps: more than 10000000",
             rows);
  PetscCheck(!study->save_lambda || study->common.output_dir[0], PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
             "-study_save_lambda writes into the run directory: name one by -output_dir");
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StudyFromOptions(Study *study)
{
  char methods[1024] = "itd,fp,cg,fp:10,cg:10", at[1024] = "0:100:10";
  PetscInt seed = 1;

  PetscFunctionBegin;
  *study = (Study){.samples = 20, .groups = 1, .exact_max_size = 5000};
  PetscCall(CliCommonFromOptions(&study->common, ""));
  PetscOptionsBegin(PETSC_COMM_WORLD, NULL, "Program options: study", "twofold");
  PetscCall(PetscOptionsString(
      "-study_methods",
      "M1,M2,...: itd, fp (fixed point on the lower level's map), or a KSP; with :K, K adjoint "
      "steps, else as many as of the lower level",
      "twofold", methods, methods, sizeof(methods), NULL));
  PetscCall(PetscOptionsString("-study_at", "Lower-level steps: T1,T2,... or FIRST:LAST:STRIDE", "twofold",
                               at, at, sizeof(at), NULL));
  PetscCall(
      PetscOptionsInt("-study_samples", "Random lambda", "twofold", study->samples, &study->samples, NULL));
  PetscCall(PetscOptionsInt("-study_seed", "Seed of lambda", "twofold", seed, &seed, NULL));
  PetscCall(PetscOptionsInt("-study_groups", "Groups of ranks that share the lambdas out among them",
                            "twofold", study->groups, &study->groups, NULL));
  PetscCall(ReadBox(study, PetscOptionsObject));
  PetscCall(PetscOptionsBool("-study_save_lambda",
                             "Write each lambda to the run directory: lambda.SAMPLE.bin", "twofold",
                             study->save_lambda, &study->save_lambda, NULL));
  PetscCall(PetscOptionsBool("-study_parts",
                             "Also the two parts of aid's errors: of w_t, and of the adjoint there",
                             "twofold", study->parts, &study->parts, NULL));
  PetscCall(PetscOptionsInt("-hg_exact_max_size", "Largest w that the exact hypergradient takes, entries",
                            "HGExactSetMaxSize", study->exact_max_size, &study->exact_max_size, NULL));
  PetscCall(StopsFromOptions(PetscOptionsObject, &study->stops));
  PetscOptionsEnd();
  study->seed = seed;
  PetscCall(StudyMethodsParse(methods, study->method, &study->nmethods));
  PetscCall(CliParseSteps("-study_at", at, MAX_STEPS, &study->at, &study->nat));
  PetscCall(CheckNumbers(study));
  if (!study->common.help) PetscCall(RefuseMethodOptions());
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode StudyFree(Study *study)
{
  PetscFunctionBegin;
  PetscCall(StopsDestroy(&study->stops));
  PetscCall(PetscFree(study->at));
  PetscCall(PetscFree2(study->low, study->high));
  PetscFunctionReturn(PETSC_SUCCESS);
}
