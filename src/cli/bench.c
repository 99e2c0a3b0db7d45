/* twofold bench: the steps that solvers are made of, against this machine's memory bandwidth and against the
   reference kernels; beside them what the messages between steps cost. */
#include <math.h>
#include <petsctime.h>
#include <stdlib.h>
#include "bench.h"
/* after PETSc's own */
#include <petscblaslapack.h>

enum { FAST, REFERENCE, SIDES };

typedef struct {
  PetscInt runs, steps, lower_steps;
  PetscReal triad_mb; /* of one of its arrays on one rank */
  PetscBool reference, messages;
  PetscBool chosen[BENCH_KERNELS];
  PetscReal *ms[BENCH_KERNELS][SIDES]; /* of each run */
  PetscReal *triad;                    /* GB/s of all ranks together */
  PetscBool dense;                     /* blocks of X are */
  PetscReal *gemm;                     /* GF/s of all ranks together, measured where they are */
  PetscReal flops[BENCH_KERNELS];      /* of products with X */
  PetscReal bytes[BENCH_KERNELS];      /* by the model; 0: none */
  PetscReal sent[BENCH_KERNELS];       /* bytes of a rank's messages by the model; negative: none */
  BenchCollective collective[BENCH_COLLECTIVES];
} Bench;

/* ------------------------------------------------------------------ times */

PetscErrorCode BenchBegin(PetscLogDouble *t)
{
  PetscFunctionBegin;
  PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
  PetscCall(PetscTime(t));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Until the last rank is ready, in ms. */
PetscErrorCode BenchEnd(PetscLogDouble begin, PetscReal *ms)
{
  PetscLogDouble end;

  PetscFunctionBegin;
  PetscCall(PetscTime(&end));
  *ms = 1e3 * (PetscReal)(end - begin);
  PetscCall(MPIU_Allreduce(MPI_IN_PLACE, ms, 1, MPIU_REAL, MPIU_MAX, PETSC_COMM_WORLD));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* a = b + 3 c (McCalpin's STREAM): 24 bytes an entry, as everywhere without what the cache reads before it
   writes. */
static PetscErrorCode Triad(PetscInt n, PetscScalar *restrict a, const PetscScalar *restrict b,
                            const PetscScalar *restrict c, PetscReal *rate)
{
  PetscLogDouble begin;
  PetscReal ms;
  PetscMPIInt size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(BenchBegin(&begin));
  for (PetscInt i = 0; i < n; i++) a[i] = b[i] + 3 * c[i];
  PetscCall(BenchEnd(begin, &ms));
  *rate = 3.0 * sizeof(PetscScalar) * (PetscReal)n * size / (1e6 * ms);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* BLAS on matrices of GEMM x GEMM. */
enum { GEMM = 512 };

static PetscErrorCode Gemm(const PetscScalar *a, const PetscScalar *b, PetscScalar *c, PetscReal *rate)
{
  const PetscBLASInt n = GEMM;
  const PetscScalar one = 1, zero = 0;
  PetscLogDouble begin;
  PetscReal ms;
  PetscMPIInt size;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(BenchBegin(&begin));
  PetscCallBLAS("BLASgemm", BLASgemm_("N", "N", &n, &n, &n, &one, a, &n, b, &n, &zero, c, &n));
  PetscCall(BenchEnd(begin, &ms));
  *rate = 2.0 * GEMM * GEMM * GEMM * size / (1e6 * ms);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode TimeKernel(const BenchKernel *kernel, BenchSide *side, PetscReal *ms)
{
  PetscLogDouble begin;

  PetscFunctionBegin;
  if (kernel->prepare) PetscCall((*kernel->prepare)(side));
  PetscCall(BenchBegin(&begin));
  PetscCall((*kernel->run)(side));
  PetscCall(BenchEnd(begin, ms));
  if (kernel->many == BENCH_LOWER_STEPS) *ms /= (PetscReal)side->lower_steps;
  if (kernel->many == BENCH_CG_STEPS) *ms /= (PetscReal)side->steps;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* All of them in turn, so that a slow moment of the machine is everybody's. */
static PetscErrorCode Measure(Bench *bench, BenchSide side[])
{
  const PetscInt n = (PetscInt)(bench->triad_mb * 1e6 / sizeof(PetscScalar)),
                 size = PetscMax(n, bench->dense ? GEMM * GEMM : 0);
  PetscScalar *a, *b, *c;
  PetscReal warm;

  PetscFunctionBegin;
  PetscCall(PetscMalloc3(size, &a, size, &b, size, &c));
  for (PetscInt i = 0; i < size; i++) a[i] = b[i] = c[i] = 1;
  for (PetscInt run = -1; run < bench->runs; run++) {
    PetscCall(Triad(n, a, b, c, run < 0 ? &warm : &bench->triad[run]));
    if (bench->dense) PetscCall(Gemm(a, b, c, run < 0 ? &warm : &bench->gemm[run]));
    for (int k = 0; k < BENCH_KERNELS; k++)
      for (int s = 0; bench->chosen[k] && s < (bench->reference ? SIDES : 1); s++)
        PetscCall(TimeKernel(&BenchKernels[k], &side[s], run < 0 ? &warm : &bench->ms[k][s][run]));
  }
  PetscCall(PetscFree3(a, b, c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static int Compare(const void *x, const void *y)
{
  const PetscReal a = *(const PetscReal *)x, b = *(const PetscReal *)y;

  return (a > b) - (a < b);
}

BenchSpread BenchSummarise(PetscInt n, PetscReal x[])
{
  qsort(x, (size_t)n, sizeof(*x), Compare);
  return (BenchSpread){x[0], x[n / 2], x[n - 1]};
}

/* ------------------------------------------------------------------ the problem */

/* Bytes and operations of all ranks together, where the problem is one whose kernels the model knows: an
   entry of a sparse block has 12 bytes, its value and its place, and one of a dense block 8. */
static PetscErrorCode CountWork(BLP blp, Bench *bench)
{
  FeatureMat X[2];
  PetscInt64 sparse[2], dense[2];
  PetscInt rows, c;

  PetscFunctionBegin;
  PetscCall(BLPGetFeatureMat(blp, BLP_TRAIN, &X[0]));
  PetscCall(BLPGetFeatureMat(blp, BLP_VAL, &X[1]));
  if (!X[0] || !X[1]) PetscFunctionReturn(PETSC_SUCCESS);
  for (int i = 0; i < 2; i++) PetscCall(FeatureMatGetStored(X[i], &sparse[i], &dense[i]));
  PetscCall(FeatureMatGetSizes(X[0], NULL, &rows, &c));
  bench->dense = (PetscBool)(dense[0] > 0 || dense[1] > 0);
  for (int k = 0; k < BENCH_KERNELS; k++) {
    const int i = BenchKernels[k].upper ? 1 : 0;
    bench->bytes[k] = BenchKernels[k].pc * (PetscReal)rows * (PetscReal)c +
                      BenchKernels[k].nnz / 12 * (12 * (PetscReal)sparse[i] + 8 * (PetscReal)dense[i]);
    bench->flops[k] =
        2.0 * BenchKernels[k].products * ((PetscReal)sparse[i] + (PetscReal)dense[i]) * (PetscReal)c;
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Bytes that a rank sends for a product with X or X^T, on average (featuremat_grid.c). */
static PetscErrorCode ProductSends(FeatureMat X, PetscReal *bytes)
{
  PetscInt n, p, c, Pr, Pc;

  PetscFunctionBegin;
  PetscCall(FeatureMatGetSizes(X, &n, &p, &c));
  PetscCall(FeatureMatGetGrid(X, &Pr, &Pc));
  *bytes = sizeof(PetscScalar) * (PetscReal)c / ((PetscReal)Pr * (PetscReal)Pc) *
           ((PetscReal)p * (PetscReal)(Pr - 1) + (PetscReal)n * (PetscReal)(Pc - 1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CountMessages(BLP blp, Bench *bench)
{
  FeatureMat X[2];
  PetscReal bytes[2];
  PetscBool grid = PETSC_FALSE;

  PetscFunctionBegin;
  for (int k = 0; k < BENCH_KERNELS; k++) bench->sent[k] = -1;
  PetscCall(BLPGetFeatureMat(blp, BLP_TRAIN, &X[0]));
  PetscCall(BLPGetFeatureMat(blp, BLP_VAL, &X[1]));
  if (X[0] && X[1]) PetscCall(PetscObjectTypeCompare((PetscObject)X[0], FEATUREMATGRID, &grid));
  if (!grid) PetscFunctionReturn(PETSC_SUCCESS);
  for (int i = 0; i < 2; i++) PetscCall(ProductSends(X[i], &bytes[i]));
  for (int k = 0; k < BENCH_KERNELS; k++)
    bench->sent[k] = BenchKernels[k].products * bytes[BenchKernels[k].upper ? 1 : 0];
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The same problem with the reference kernels. */
static PetscErrorCode CreateReference(const CliCommon *common, BLP *blp)
{
  char given[64];
  PetscBool set;

  PetscFunctionBegin;
  PetscCall(PetscOptionsGetString(NULL, NULL, "-data_kernel", given, sizeof(given), &set));
  PetscCall(PetscOptionsSetValue(NULL, "-data_kernel", FEATUREMATREFERENCE));
  PetscCall(CliCreateProblem(common, PETSC_COMM_WORLD, blp));
  PetscCall(BLPSetUp(*blp));
  if (set)
    PetscCall(PetscOptionsSetValue(NULL, "-data_kernel", given));
  else
    PetscCall(PetscOptionsClearValue(NULL, "-data_kernel"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ results */

static PetscErrorCode PrintHeader(const Bench *bench, BenchSpread triad, BenchSpread gemm)
{
  const char *const dense[] = {bench->dense ? "    GF/s     of" : "", bench->dense ? "           gemm" : ""};
  const char *const reference[] = {bench->reference ? "   reference   ratio" : "",
                                   bench->reference ? "          ms" : ""};

  PetscFunctionBegin;
  PetscCall(
      PetscPrintf(PETSC_COMM_WORLD, "triad of arrays of %g MB a rank: %.1f GB/s (%.1f to %.1f), all ranks\n",
                  (double)bench->triad_mb, (double)triad.median, (double)triad.low, (double)triad.high));
  if (bench->dense)
    PetscCall(PetscPrintf(PETSC_COMM_WORLD,
                          "BLAS gemm of %d x %d matrices: %.1f GF/s (%.1f to %.1f), all ranks\n", GEMM, GEMM,
                          (double)gemm.median, (double)gemm.low, (double)gemm.high));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\n%-27s %9s %19s %8s %7s %7s%s%s\n", "", "median", "from       to",
                        "MB by", "GB/s", "of", dense[0], reference[0]));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%-27s %9s %19s %8s %7s %7s%s%s\n", "", "ms", "ms       ms",
                        "model", "", "triad", dense[1], reference[1]));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Print(const Bench *bench, const BenchSpread times[][SIDES], BenchSpread triad,
                            BenchSpread gemm)
{
  PetscFunctionBegin;
  PetscCall(PrintHeader(bench, triad, gemm));
  for (int k = 0; k < BENCH_KERNELS; k++) {
    if (!bench->chosen[k]) continue;
    const BenchSpread t = times[k][FAST], r = times[k][REFERENCE];
    const PetscReal rate = bench->bytes[k] / (1e6 * t.median), flops = bench->flops[k] / (1e6 * t.median);
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%-27s %9.3f %9.3f %9.3f", BenchKernels[k].name, (double)t.median,
                          (double)t.low, (double)t.high));
    if (bench->bytes[k] > 0)
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, " %8.1f %7.1f %6.0f%%", (double)bench->bytes[k] / 1e6,
                            (double)rate, (double)(100 * rate / triad.median)));
    else
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, " %8s %7s %7s", "-", "-", "-"));
    if (bench->dense)
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, " %7.1f %5.0f%%", (double)flops,
                            (double)(100 * flops / gemm.median)));
    if (bench->reference)
      PetscCall(
          PetscPrintf(PETSC_COMM_WORLD, " %11.3f %7.2f", (double)r.median, (double)(r.median / t.median)));
    PetscCall(PetscPrintf(PETSC_COMM_WORLD, "\n"));
  }
  if (bench->messages) PetscCall(BenchPrintCollectives(bench->collective));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static void WriteSpread(Json *json, const char key[], BenchSpread s)
{
  JsonOpen(json, key);
  JsonReal(json, "median", s.median);
  JsonReal(json, "least", s.low);
  JsonReal(json, "most", s.high);
  JsonClose(json);
}

/* What was timed: sizes, and the grid where there is one. */
static PetscErrorCode WriteProblem(Json *json, BLP blp)
{
  const char *const key[] = {"training", "validation"};
  const BLPSet set[] = {BLP_TRAIN, BLP_VAL};
  FeatureMat X;
  PetscInt64 nnz;
  PetscInt n, p, c, Pr, Pc;

  PetscFunctionBegin;
  for (int i = 0; i < 2; i++) {
    PetscCall(BLPGetFeatureMat(blp, set[i], &X));
    if (!X) continue;
    PetscCall(FeatureMatGetSizes(X, &n, &p, &c));
    PetscCall(FeatureMatGetNonzeros(X, &nnz));
    PetscCall(FeatureMatGetGrid(X, &Pr, &Pc));
    JsonOpen(json, key[i]);
    JsonInt(json, "samples", n);
    JsonInt(json, "features", p);
    JsonInt(json, "columns", c);
    JsonInt(json, "nonzeros", nnz);
    JsonInt(json, "grid_rows", Pr);
    JsonInt(json, "grid_columns", Pc);
    JsonClose(json);
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteSummary(RunDir dir, const Bench *bench, BLP blp, const BenchSpread times[][SIDES],
                                   BenchSpread triad, BenchSpread gemm)
{
  PetscMPIInt size;
  FILE *file;

  PetscFunctionBegin;
  PetscCallMPI(MPI_Comm_size(PETSC_COMM_WORLD, &size));
  PetscCall(RunDirOpenAside(dir, "summary.json", &file));
  if (file) {
    Json json;
    JsonBegin(&json, file);
    JsonString(&json, "command", "bench");
    JsonString(&json, "version", TWOFOLD_VERSION);
    JsonInt(&json, "ranks", size);
    JsonInt(&json, "runs", bench->runs);
    WriteSpread(&json, "triad_gb_s", triad);
    if (bench->dense) WriteSpread(&json, "gemm_gf_s", gemm);
    PetscCall(WriteProblem(&json, blp));
    if (bench->messages) BenchWriteCollectives(&json, bench->collective);
    for (int k = 0; k < BENCH_KERNELS; k++) {
      if (!bench->chosen[k]) continue;
      JsonOpen(&json, BenchKernels[k].key);
      WriteSpread(&json, "ms", times[k][FAST]);
      JsonReal(&json, "model_bytes", bench->bytes[k] > 0 ? bench->bytes[k] : NAN);
      JsonReal(&json, "product_flops", bench->bytes[k] > 0 ? bench->flops[k] : NAN);
      JsonReal(&json, "model_sent_bytes_a_rank", bench->sent[k] < 0 ? NAN : bench->sent[k]);
      if (bench->reference) WriteSpread(&json, "reference_ms", times[k][REFERENCE]);
      JsonClose(&json);
    }
    JsonEnd(&json);
  }
  PetscCall(RunDirCommit(dir, "summary.json", &file));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the command */

/* "all", or keys with commas between them. */
static PetscErrorCode ChooseKernels(const char text[], Bench *bench)
{
  char known[256] = "";
  char **words;
  int count;

  PetscFunctionBegin;
  PetscCall(PetscStrToArray(text, ',', &count, &words));
  for (int k = 0; k < BENCH_KERNELS; k++) {
    bench->chosen[k] = (PetscBool)(strcmp(text, "all") == 0);
    PetscCall(PetscStrlcat(known, k ? ", " : "", sizeof(known)));
    PetscCall(PetscStrlcat(known, BenchKernels[k].key, sizeof(known)));
  }
  for (int i = 0; i < count && strcmp(text, "all") != 0; i++) {
    int k = 0;
    while (k < BENCH_KERNELS && strcmp(words[i], BenchKernels[k].key) != 0) k++;
    PetscCheck(k < BENCH_KERNELS, PETSC_COMM_WORLD, PETSC_ERR_USER_INPUT,
               "-bench_kernels %s: there is no %s; all, or some of %s", text, words[i], known);
    bench->chosen[k] = PETSC_TRUE;
  }
  PetscCall(PetscStrToArrayDestroy(count, words));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode ReadOptions(Bench *bench)
{
  char kernels[256] = "all";

  PetscFunctionBegin;
  *bench = (Bench){.runs = 11,
                   .steps = 10,
                   .lower_steps = 1,
                   .triad_mb = 64,
                   .reference = PETSC_TRUE,
                   .messages = PETSC_TRUE};
  PetscOptionsBegin(PETSC_COMM_WORLD, NULL, "Program options: bench", "twofold");
  PetscCall(PetscOptionsInt("-bench_runs", "Times each step is measured", "twofold", bench->runs,
                            &bench->runs, NULL));
  PetscCall(PetscOptionsString("-bench_kernels",
                               "What is measured: all, or keys of the summary with commas between", "twofold",
                               kernels, kernels, sizeof(kernels), NULL));
  PetscCall(PetscOptionsInt("-bench_lower_steps", "Steps of the lower level at a time", "twofold",
                            bench->lower_steps, &bench->lower_steps, NULL));
  PetscCall(PetscOptionsInt("-bench_cg_steps", "Steps of conjugate gradients at a time", "twofold",
                            bench->steps, &bench->steps, NULL));
  PetscCall(PetscOptionsReal("-bench_triad_mb", "Size of an array of the triad on a rank", "twofold",
                             bench->triad_mb, &bench->triad_mb, NULL));
  PetscCall(PetscOptionsBool("-bench_reference", "Measure the reference kernels beside", "twofold",
                             bench->reference, &bench->reference, NULL));
  PetscCall(PetscOptionsBool("-bench_messages", "Measure latency and rate of messages", "twofold",
                             bench->messages, &bench->messages, NULL));
  PetscOptionsEnd();
  PetscCheck(bench->runs > 0, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "-bench_runs %" PetscInt_FMT ": at least 1", bench->runs);
  PetscCall(ChooseKernels(kernels, bench));
  PetscCheck(bench->lower_steps > 0, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "-bench_lower_steps %" PetscInt_FMT ": at least 1", bench->lower_steps);
  PetscCheck(bench->steps > 0, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "-bench_cg_steps %" PetscInt_FMT ": at least 1", bench->steps);
  PetscCheck(bench->triad_mb >= 0.001 && bench->triad_mb <= 10000, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "-bench_triad_mb %g: between 0.001 and 10000", (double)bench->triad_mb);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Run(Bench *bench, const CliCommon *common, BLP blp, Vec lambda)
{
  const BenchSide counts = {.steps = bench->steps, .lower_steps = bench->lower_steps};
  BenchSide side[SIDES] = {counts, counts};
  BenchSpread times[BENCH_KERNELS][SIDES] = {{{0}}}, triad, gemm;
  RunDir dir = NULL;
  PetscBool loss;
  BLP reference;

  PetscFunctionBegin;
  PetscCall(BLPHasLoss(blp, &loss));
  PetscCheck(loss, PETSC_COMM_WORLD, PETSC_ERR_SUP,
             "the lower level is a map: twofold bench times the steps of methods for a loss");
  if (common->output_dir[0]) PetscCall(RunDirCreate(common->output_dir, PETSC_FALSE, PETSC_FALSE, &dir));
  PetscCall(PetscCalloc2(bench->runs, &bench->triad, bench->runs, &bench->gemm));
  for (int k = 0; k < BENCH_KERNELS; k++)
    for (int s = 0; s < SIDES; s++) PetscCall(PetscCalloc1(bench->runs, &bench->ms[k][s]));
  PetscCall(CountWork(blp, bench));
  PetscCall(CountMessages(blp, bench));
  PetscCall(PetscObjectReference((PetscObject)blp));
  PetscCall(BenchSideCreate(blp, lambda, &side[FAST]));
  if (bench->reference) {
    Vec same;
    PetscCall(CreateReference(common, &reference));
    PetscCall(CliCreateLambda(reference, &same));
    PetscCall(BenchSideCreate(reference, same, &side[REFERENCE]));
    PetscCall(VecDestroy(&same));
  }
  PetscCall(Measure(bench, side));
  if (bench->messages) PetscCall(BenchMeasureCollectives(bench->runs, bench->collective));
  triad = BenchSummarise(bench->runs, bench->triad);
  gemm = BenchSummarise(bench->runs, bench->gemm);
  for (int k = 0; k < BENCH_KERNELS; k++)
    for (int s = 0; s < SIDES; s++) times[k][s] = BenchSummarise(bench->runs, bench->ms[k][s]);
  PetscCall(Print(bench, (const BenchSpread(*)[SIDES])times, triad, gemm));
  if (dir) {
    PetscCall(RunDirWriteOptions(dir, "bench"));
    PetscCall(WriteSummary(dir, bench, blp, (const BenchSpread(*)[SIDES])times, triad, gemm));
    PetscCall(RunDirDestroy(&dir));
  }
  for (int s = 0; s < (bench->reference ? SIDES : 1); s++) PetscCall(BenchSideDestroy(&side[s]));
  for (int k = 0; k < BENCH_KERNELS; k++)
    for (int s = 0; s < SIDES; s++) PetscCall(PetscFree(bench->ms[k][s]));
  PetscCall(PetscFree2(bench->triad, bench->gemm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode CommandBench(int *code)
{
  CliCommon common;
  Bench bench;
  BLP blp;
  Vec lambda;

  PetscFunctionBegin;
  PetscCall(CliCommonFromOptions(&common, ""));
  PetscCall(CliLambdaOptions());
  PetscCall(ReadOptions(&bench));
  PetscCall(CliCreateProblem(&common, PETSC_COMM_WORLD, &blp));
  if (common.help) {
    PetscCall(CliHearData());
    PetscCall(CliHelpPrint(common.help_all));
    PetscCall(BLPDestroy(&blp));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(CliCheckValues());
  PetscCall(BLPSetUp(blp));
  PetscCall(CliCreateLambda(blp, &lambda));
  PetscCall(CliRefuseUnusedOptions());
  PetscCall(Run(&bench, &common, blp, lambda));
  *code = EXIT_OK;
  PetscCall(VecDestroy(&lambda));
  PetscCall(BLPDestroy(&blp));
  PetscFunctionReturn(PETSC_SUCCESS);
}
