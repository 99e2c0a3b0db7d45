/* The adjoint system by several solvers: iterations, products, the residual reached and times, at one point
   and, with -bench_steps, along a path of hypergradients over which a preconditioner may be kept:

     mpirun -n 2 bench-adjoint -blp_type logistic -blp_data synthetic -bench_lambda 0.2 [-bench_rtol 1e-8]
       [-bench_cap 5000] [-bench_rank 50] [-bench_steps 10] [-bench_runs 5] [-bench_methods 0,1,6] ...

   -bench_methods: numbers in the list below, cg (1) among them. Times are medians over interleaved runs, of
   the slowest rank, ms. "build" is that of the preconditioner, "solve" all the rest, an interval by SLEPc
   with it. The point is w after 30 optimal steps from 0. Nothing is judged; adjoint.sh makes the tables. */
#include "bench.h"
#include <twofold/bound.h>

enum { METHODS = 8, COMPUTED = 3, MAX_RUNS = 101 };

static const struct {
  const char *name, *options;
} methods[METHODS] = {
    {"fixed point", "-%shg_ksp_type richardson -%shg_fpm_step optimal"},
    {"cg", "-%shg_ksp_type cg"},
    {"chebyshev, formula", "-%shg_ksp_type chebyshev -%shg_chebyshev_interval formula"},
    {"chebyshev, computed", "-%shg_ksp_type chebyshev -%shg_chebyshev_interval computed"},
    {"chebyshev, ksp", "-%shg_ksp_type chebyshev -%shg_chebyshev_interval ksp"},
    {"cg, jacobi", "-%shg_ksp_type cg -%shg_precond jacobi"},
    {"cg, nystrom", "-%shg_ksp_type cg -%shg_precond nystrom"},
    {"cg, nystrom, new", "-%shg_ksp_type cg -%shg_precond nystrom"} /* the path alone: built at each step */
};

typedef struct {
  HG hg;
  PetscInt its, products;
  PetscReal residual;
  double build[MAX_RUNS], solve[MAX_RUNS], path[MAX_RUNS];
  PetscInt path_its, path_builds;
  PetscBool left_out, failed;
} Method;

typedef struct {
  BLP blp;
  Vec lambda, at, g;
  PetscReal rtol, start;
  PetscInt cap, rank, steps, runs;
  Method method[METHODS];
} Bench;

static PetscErrorCode CreateMethod(const Bench *b, int i, Method *m)
{
  char prefix[16], text[512], more[512];

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(prefix, sizeof(prefix), "m%d_", i));
  PetscCall(PetscSNPrintf(text, sizeof(text), methods[i].options, prefix, prefix));
  PetscCall(PetscOptionsInsertString(NULL, text));
  PetscCall(PetscSNPrintf(more, sizeof(more),
                          "-%slls_fpm_step optimal -%slls_max_it 30 -%shg_ksp_rtol %g -%shg_ksp_max_it %d "
                          "-%shg_precond_rank %d -%shg_precond_reuse %d -%shg_precond_growth 1e10",
                          prefix, prefix, prefix, (double)b->rtol, prefix, (int)b->cap, prefix, (int)b->rank,
                          prefix, i == METHODS - 1 ? 1 : 0, prefix));
  PetscCall(PetscOptionsInsertString(NULL, more));
  PetscCall(HGCreate(PETSC_COMM_WORLD, &m->hg));
  PetscCall(HGSetOptionsPrefix(m->hg, prefix));
  PetscCall(HGSetBLP(m->hg, b->blp));
  PetscCall(HGSetFromOptions(m->hg));
  PetscFunctionReturn(0);
}

/* A solve that is refused, as by a constant that is missing, is told in one line and left out. */
static PetscErrorCode Solve(const Bench *b, Method *m, HGReport *report)
{
  PetscReal f;

  PetscFunctionBegin;
  PetscCall(PetscPushErrorHandler(PetscReturnErrorHandler, NULL));
  m->failed = (PetscBool)(HGSolve(m->hg, b->at, &f, b->g) != 0);
  PetscCall(PetscPopErrorHandler());
  PetscCall(HGGetReport(m->hg, report));
  PetscFunctionReturn(0);
}

/* The preconditioner's build alone, where there is one, and the adjoint with it. */
static PetscErrorCode Once(const Bench *b, Method *m, PetscInt run)
{
  PetscLogDouble begin, end;
  HGReport report;
  Precond precond;
  PrecondType type;
  PetscBool none;
  State x;

  PetscFunctionBegin;
  if (m->left_out) PetscFunctionReturn(0);
  PetscCall(Solve(b, m, &report)); /* the first one builds */
  if (m->failed) PetscFunctionReturn(0);
  PetscCall(HGGetPrecond(m->hg, &precond));
  PetscCall(PrecondGetType(precond, &type));
  PetscCall(PetscStrcmp(type, PRECONDNONE, &none));
  PetscCall(HGGetState(m->hg, &x));
  m->build[run] = 0;
  if (!none) {
    PetscCallMPI(MPI_Barrier(PETSC_COMM_WORLD));
    PetscCall(PetscTime(&begin));
    PetscCall(PrecondBuild(precond, b->at, x->v[0]));
    PetscCall(PetscTime(&end));
    m->build[run] = 1e3 * (end - begin);
    PetscCall(Solve(b, m, &report));
  }
  m->solve[run] = 1e3 * report.adjoint_time;
  m->its = report.adjoint_its;
  m->products = report.adjoint_products;
  m->residual = report.adjoint_residual;
  PetscFunctionReturn(0);
}

/* lambda <- lambda - c g, c such that no entry moves by more than a tenth of the start's: the adjoint's time
   at all points. Each method goes its own way, which is the same to its tolerance. */
static PetscErrorCode Path(const Bench *b, Method *m, PetscInt run)
{
  HGReport report;
  Precond precond;
  PetscInt before, after;
  PetscReal largest;
  Vec upper, lower;

  PetscFunctionBegin;
  if (m->left_out) PetscFunctionReturn(0);
  PetscCall(VecCopy(b->lambda, b->at));
  PetscCall(BLPGetBounds(b->blp, &lower, &upper));
  PetscCall(HGGetPrecond(m->hg, &precond));
  PetscCall(PrecondSetBLP(precond, b->blp)); /* forgets what was built */
  PetscCall(PrecondGetCost(precond, &before, NULL));
  m->path[run] = 0;
  m->path_its = 0;
  for (PetscInt s = 0; s < b->steps && !m->failed; s++) {
    PetscCall(Solve(b, m, &report));
    m->path[run] += 1e3 * report.adjoint_time;
    m->path_its += report.adjoint_its;
    PetscCall(VecNorm(b->g, NORM_INFINITY, &largest));
    PetscCall(VecAXPY(b->at, -0.1 * PetscMax(1, PetscAbsReal(b->start)) / largest, b->g));
    if (lower) PetscCall(VecPointwiseMax(b->at, b->at, b->lambda)); /* mu stays */
  }
  PetscCall(PrecondGetCost(precond, &after, NULL));
  m->path_builds = after - before;
  PetscCall(VecCopy(b->lambda, b->at));
  PetscFunctionReturn(0);
}

static double Median(const Bench *b, double ms[])
{
  double all[MAX_RUNS];

  MPI_Allreduce(ms, all, (int)b->runs, MPI_DOUBLE, MPI_MAX, PETSC_COMM_WORLD);
  qsort(all, (size_t)b->runs, sizeof(*all), BenchCompareTimes);
  return all[b->runs / 2];
}

static PetscErrorCode PrintConstants(const Bench *b)
{
  TwofoldConstant mu, L, least, largest;
  State x;

  PetscFunctionBegin;
  PetscCall(BLPGetStrongConvexity(b->blp, b->lambda, &mu));
  PetscCall(BLPGetSmoothness(b->blp, b->lambda, &L));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "by formula: mu %.4g, L %.4g, kappa %.4g\n", (double)mu.value,
                        (double)L.value, (double)(L.value / mu.value)));
  if (b->method[COMPUTED].left_out) PetscFunctionReturn(0); /* too dear, then */
  PetscCall(HGGetState(b->method[1].hg, &x));
  PetscCall(BoundHessian(b->blp, b->lambda, x->v[0], NULL, &largest, &least));
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "computed: mu %.4g (residual %.1e), L %.4g, kappa %.4g\n",
                        (double)least.value, (double)least.error, (double)largest.value,
                        (double)(largest.value / least.value)));
  PetscFunctionReturn(0);
}

static PetscErrorCode PrintTables(Bench *b)
{
  PetscFunctionBegin;
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%-20s %7s %9s %10s %9s %9s %9s\n", "at one point", "its",
                        "products", "residual", "build", "solve", "both"));
  for (int i = 0; i < METHODS - 1; i++) {
    Method *const m = &b->method[i];
    const double build = Median(b, m->build), solve = Median(b, m->solve);
    if (m->left_out) continue;
    if (m->failed)
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%-20s refused\n", methods[i].name));
    else
      PetscCall(PetscPrintf(
          PETSC_COMM_WORLD, "%-20s %7" PetscInt_FMT " %9" PetscInt_FMT " %10.1e %9.1f %9.1f %9.1f%s\n",
          methods[i].name, m->its, m->products, (double)m->residual, build, solve, build + solve,
          m->its >= b->cap             ? "  (cap)"
          : m->residual <= 2 * b->rtol ? ""
                                       : "  (not solved)"));
  }
  if (!b->steps) PetscFunctionReturn(0);
  PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%-20s %7s %9s %10s\n", "along a path", "its", "builds", "time"));
  for (int i = 1; i < METHODS; i++)
    if (!strncmp(methods[i].name, "cg", 2) && !b->method[i].left_out)
      PetscCall(PetscPrintf(PETSC_COMM_WORLD, "%-20s %7" PetscInt_FMT " %9" PetscInt_FMT " %10.1f\n",
                            methods[i].name, b->method[i].path_its, b->method[i].path_builds,
                            Median(b, b->method[i].path)));
  PetscFunctionReturn(0);
}

static PetscErrorCode Options(Bench *b)
{
  PetscInt only[METHODS], n = METHODS;
  PetscBool given;

  PetscFunctionBegin;
  *b = (Bench){.rtol = 1e-8, .cap = 5000, .rank = 50, .steps = 0, .runs = 5, .start = 0};
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-bench_rtol", &b->rtol, NULL));
  PetscCall(PetscOptionsGetReal(NULL, NULL, "-bench_lambda", &b->start, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_cap", &b->cap, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_rank", &b->rank, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_steps", &b->steps, NULL));
  PetscCall(PetscOptionsGetInt(NULL, NULL, "-bench_runs", &b->runs, NULL));
  PetscCall(PetscOptionsGetIntArray(NULL, NULL, "-bench_methods", only, &n, &given));
  for (int i = 0; i < METHODS; i++) {
    b->method[i].left_out = given;
    for (PetscInt j = 0; given && j < n; j++)
      if (only[j] == i) b->method[i].left_out = PETSC_FALSE;
  }
  PetscCheck(b->runs > 0 && b->runs <= MAX_RUNS, PETSC_COMM_WORLD, PETSC_ERR_ARG_OUTOFRANGE,
             "-bench_runs %" PetscInt_FMT ": 1 to %d", b->runs, MAX_RUNS);
  PetscFunctionReturn(0);
}

/* lambda: a constant, or a file of the program's solution. */
static PetscErrorCode SetLambda(Bench *b)
{
  char file[PETSC_MAX_PATH_LEN];
  PetscBool given;
  PetscViewer viewer;

  PetscFunctionBegin;
  PetscCall(VecSet(b->lambda, b->start));
  PetscCall(PetscOptionsGetString(NULL, NULL, "-bench_lambda_file", file, sizeof(file), &given));
  if (given) {
    PetscCall(PetscViewerBinaryOpen(PETSC_COMM_WORLD, file, FILE_MODE_READ, &viewer));
    PetscCall(VecLoad(b->lambda, viewer));
    PetscCall(PetscViewerDestroy(&viewer));
  }
  PetscCall(VecCopy(b->lambda, b->at));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  Bench b;

  PetscCall(TwofoldInitialize(&argc, &argv, NULL, NULL));
  PetscCall(Options(&b));
  PetscCall(BLPCreate(PETSC_COMM_WORLD, &b.blp));
  PetscCall(BLPSetFromOptions(b.blp));
  PetscCall(BLPCreateVecs(b.blp, &b.lambda, NULL));
  PetscCall(VecDuplicate(b.lambda, &b.at));
  PetscCall(VecDuplicate(b.lambda, &b.g));
  PetscCall(SetLambda(&b));
  for (int i = 0; i < METHODS; i++) PetscCall(CreateMethod(&b, i, &b.method[i]));
  for (PetscInt run = 0; run < b.runs; run++) {
    for (int i = 0; i < METHODS - 1; i++) PetscCall(Once(&b, &b.method[i], run));
    if (!b.steps) continue;
    for (int i = 1; i < METHODS; i++)
      if (!strncmp(methods[i].name, "cg", 2)) PetscCall(Path(&b, &b.method[i], run));
  }
  PetscCall(PrintConstants(&b));
  PetscCall(PrintTables(&b));
  for (int i = 0; i < METHODS; i++) PetscCall(HGDestroy(&b.method[i].hg));
  PetscCall(VecDestroy(&b.lambda));
  PetscCall(VecDestroy(&b.at));
  PetscCall(VecDestroy(&b.g));
  PetscCall(BLPDestroy(&b.blp));
  PetscCall(TwofoldFinalize());
  return 0;
}
