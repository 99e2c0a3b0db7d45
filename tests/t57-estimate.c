/* The estimate of the hypergradient's error: its vector against dense solves, of second order what it leaves,
   its effectivity over many cases, and the corrected hypergradient beside the plain one at equal work
   (-verbose prints a table of both). */
#include "dense.h"

typedef struct {
  BLPType type;
  BLP blp;
  PetscBool map;
  Vec lambda, g, exact, dg;
} Case;

/* The gradient of f itself. */
static PetscErrorCode Exact(Case *k)
{
  HGConvergedReason reason;
  PetscReal f;
  HG hg;

  PetscFunctionBegin;
  PetscCall(HGMake(k->blp, NULL, "-hg_type exact", &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->exact));
  PetscCall(HGGetConvergedReason(hg, &reason));
  CHECK(reason > 0, "the reference ended by %s", HGConvergedReasons[reason]);
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseCreate(BLPType type, const Synthetic *s, PetscReal shift, Case *k)
{
  PetscFunctionBegin;
  k->type = type;
  PetscCall(SyntheticProblem(TEST_COMM, type, s, &k->blp));
  PetscCall(BLPHasMap(k->blp, &k->map));
  PetscCall(BLPCreateVecs(k->blp, &k->lambda, NULL));
  PetscCall(VecDuplicate(k->lambda, &k->g));
  PetscCall(VecDuplicate(k->lambda, &k->exact));
  PetscCall(VecDuplicate(k->lambda, &k->dg));
  PetscCall(SyntheticLambda(k->blp, s, 7 + s->seed, 0.5, shift, k->lambda));
  PetscFunctionReturn(0);
}

static PetscErrorCode CaseDestroy(Case *k)
{
  PetscFunctionBegin;
  PetscCall(VecDestroy(&k->lambda));
  PetscCall(VecDestroy(&k->g));
  PetscCall(VecDestroy(&k->exact));
  PetscCall(VecDestroy(&k->dg));
  PetscCall(BLPDestroy(&k->blp));
  PetscFunctionReturn(0);
}

/* One hypergradient by these options, to k->g, its correction to k->dg. */
static PetscErrorCode Solve(Case *k, const char text[], HGReport *report)
{
  PetscReal f;
  Vec dg;
  HG hg;

  PetscFunctionBegin;
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGGetReport(hg, report));
  CHECK(report->reason > 0 && report->estimate.standing == TWOFOLD_COMPUTED, "%s: %s, %s", text,
        HGConvergedReasons[report->reason], report->estimate.origin);
  PetscCall(HGGetCorrection(hg, &dg));
  PetscCall(VecCopy(dg, k->dg));
  PetscCall(HGDestroy(&hg));
  PetscFunctionReturn(0);
}

/* ||g - exact|| and ||g + dg - exact||, relative to ||exact||. */
static PetscErrorCode Errors(Case *k, PetscReal *plain, PetscReal *corrected)
{
  PetscFunctionBegin;
  PetscCall(RelativeDifference(k->g, k->exact, plain));
  PetscCall(VecAXPY(k->g, 1, k->dg));
  PetscCall(RelativeDifference(k->g, k->exact, corrected));
  PetscCall(VecAXPY(k->g, -1, k->dg));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ against dense solves */

/* What is differentiated along dw, at w + h dw: (I - J^T) v (nw), B^T v (p), grad1 E (nw), grad2 E (p). */
static PetscErrorCode DenseAt(const Dense *d, const DenseMap *map, const PetscReal l[], const PetscReal w[],
                              PetscReal h, const PetscReal dw[], const PetscReal v[], PetscReal out[])
{
  const PetscInt n = d->nw, p = d->nlambda;
  PetscReal *at, *J, *B;

  PetscFunctionBegin;
  PetscCall(PetscMalloc3(n, &at, n * n, &J, n * p, &B));
  for (PetscInt i = 0; i < n; i++) at[i] = w[i] + h * dw[i];
  PetscCall(DenseMapDerivatives(d, map, l, at, J, B));
  for (PetscInt j = 0; j < n; j++) out[j] = v[j];
  PetscCall(PetscArrayzero(out + n, p));
  for (PetscInt i = 0; i < n; i++) {
    for (PetscInt j = 0; j < n; j++) out[j] -= J[i * n + j] * v[i];
    for (PetscInt j = 0; j < p; j++) out[n + j] += B[i * p + j] * v[i];
  }
  DenseUpperAt(d, l, at, out + n + p, out + 2 * n + p);
  PetscCall(PetscFree3(at, J, B));
  PetscFunctionReturn(0);
}

/* The correction of g at w and v by the formulas, with D_w by differences extrapolated to h^4. */
static PetscErrorCode DenseCorrection(const Dense *d, const DenseMap *map, const PetscReal l[],
                                      const PetscReal w[], const PetscReal v[], const PetscReal g[],
                                      PetscReal dg[])
{
  const PetscInt n = d->nw, p = d->nlambda, m = 2 * n + 2 * p;
  const PetscReal h = 1e-3;
  PetscReal *image, *r, *dw, *s, *dv, *J, *B, *at, *side[4];

  PetscFunctionBegin;
  PetscCall(PetscMalloc5(n, &image, n, &r, n, &dw, n, &s, n, &dv));
  PetscCall(PetscMalloc3(n * n, &J, n * p, &B, m, &at));
  PetscCall(PetscArraycpy(image, w, n));
  PetscCall(DenseMapStep(d, map, l, image));
  for (PetscInt i = 0; i < n; i++) r[i] = image[i] - w[i];
  PetscCall(DenseMapDerivatives(d, map, l, w, J, B));
  for (PetscInt i = 0; i < n * n; i++) J[i] = (i % (n + 1) == 0 ? 1 : 0) - J[i];
  PetscCall(DenseSolve(n, J, r, dw));
  for (int i = 0; i < 4; i++) {
    PetscCall(PetscMalloc1(m, &side[i]));
    PetscCall(DenseAt(d, map, l, w, (i % 2 ? -h : h) / (1 + i / 2), dw, v, side[i]));
  }
  for (PetscInt i = 0; i < m; i++) /* the derivatives */
    side[0][i] = (8 * (side[2][i] - side[3][i]) - (side[0][i] - side[1][i])) / (6 * h);
  PetscCall(DenseAt(d, map, l, w, 0, dw, v, at));
  for (PetscInt i = 0; i < n; i++) s[i] = at[n + p + i] - at[i] + side[0][n + p + i] - side[0][i];
  PetscCall(DenseSolveTranspose(n, J, s, dv));
  for (PetscInt j = 0; j < p; j++) {
    dg[j] = side[0][n + j] + side[0][2 * n + p + j] + at[n + j] + at[2 * n + p + j] - g[j];
    for (PetscInt i = 0; i < n; i++) dg[j] += B[i * p + j] * dv[i];
  }
  for (int i = 0; i < 4; i++) PetscCall(PetscFree(side[i]));
  PetscCall(PetscFree5(image, r, dw, s, dv));
  PetscCall(PetscFree3(J, B, at));
  PetscFunctionReturn(0);
}

/* aid, whatever its map: the vector is that of the formulas with the map of step 1, at v scaled to it. */
static PetscErrorCode AgainstDense(Case *k, const Dense *d, const char lower[], const char adjoint[],
                                   PetscReal step)
{
  const DenseMap map = {k->map ? FPMPROBLEM : FPMGD, 1, 0};
  PetscReal *l, *w, *v, *g, *dg, f, difference, norm;
  char text[512];
  HGReport report;
  State state;
  Vec correction;
  HG hg;

  PetscFunctionBegin;
  PetscCall(PetscMalloc5(d->nlambda, &l, d->nw, &w, d->nw, &v, d->nlambda, &g, d->nlambda, &dg));
  PetscCall(PetscSNPrintf(text, sizeof(text),
                          "-hg_type aid %s -lls_max_it 6 %s -hg_ksp_rtol 0 -hg_ksp_max_it 2 "
                          "-hg_certificate estimate -hg_estimate_rtol 1e-12 -hg_estimate_max_it 500",
                          lower, adjoint));
  PetscCall(HGMake(k->blp, NULL, text, &hg));
  PetscCall(HGSolve(hg, k->lambda, &f, k->g));
  PetscCall(HGGetReport(hg, &report));
  PetscCall(HGGetCorrection(hg, &correction));
  PetscCall(VecGather(k->lambda, l));
  PetscCall(HGGetState(hg, &state));
  PetscCall(VecGather(state->v[0], w));
  PetscCall(HGGetAdjoint(hg, &state));
  PetscCall(VecGather(state->v[0], v));
  for (PetscInt i = 0; i < d->nw; i++) v[i] *= step;
  PetscCall(VecGather(k->g, g));
  PetscCall(DenseCorrection(d, &map, l, w, v, g, dg));
  PetscCall(VecDifference(correction, dg, &difference));
  CHECK(difference <= 1e-7, "%s: the correction differs by %g", text, difference);
  PetscCall(VecNorm(correction, NORM_2, &norm));
  CHECK(report.estimate.value == norm && report.estimate.products > 4,
        "estimate %g of a vector as long as %g", report.estimate.value, norm);
  PetscCall(HGDestroy(&hg));
  PetscCall(PetscFree5(l, w, v, g, dg));
  PetscFunctionReturn(0);
}

static PetscErrorCode Definition(BLPType type, const Synthetic *s)
{
  const char *const adjoint[] = {"", "-hg_fpm_type heavyball -hg_fpm_momentum 0.3 -hg_fpm_step 0.4",
                                 "-hg_fpm_type nesterov -hg_fpm_momentum 0.3 -hg_fpm_step 0.4"};
  Dense *d;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(type, s, 0, &k));
  PetscCall(DenseCreate(type, s, &d));
  for (int i = 0; i < (k.map ? 1 : 3); i++)
    PetscCall(AgainstDense(&k, d,
                           k.map ? "" : "-lls_fpm_type heavyball -lls_fpm_step 0.4 -lls_fpm_momentum 0.2",
                           adjoint[i], i ? 0.4 : 1));
  PetscCall(DenseDestroy(&d));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ order */

/* With exact inner solves the corrected error falls as the square of the plain one: what is left out of dg,
   or has the wrong sign, makes it fall alike. */
static PetscErrorCode Order(BLPType type, const Synthetic *s, const char method[])
{
  PetscReal first[2] = {0, 0}, last[2] = {0, 0}, now[2];
  char text[512];
  HGReport report;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(type, s, 0, &k));
  PetscCall(Exact(&k));
  for (PetscInt t = 1; t <= 512; t += k.map ? 1 : PetscMax(1, t / 2)) {
    PetscCall(PetscSNPrintf(text, sizeof(text),
                            "%s %s -lls_max_it %d -hg_certificate estimate -hg_estimate_rtol 1e-10 "
                            "-hg_estimate_max_it 500",
                            method, k.map ? "" : "-lls_fpm_step optimal", (int)t));
    PetscCall(Solve(&k, text, &report));
    PetscCall(Errors(&k, &now[0], &now[1]));
    if (now[0] > 0.1) continue;
    if (first[0] == 0) PetscCall(PetscArraycpy(first, now, 2));
    if (now[0] < 1e-5 || now[1] < 1e-12) break;
    PetscCall(PetscArraycpy(last, now, 2));
  }
  if (first[0] > 0 && first[1] <= 1e-9 * first[0]) { /* all of it is linear: the correction is exact */
    PetscCall(CaseDestroy(&k));
    PetscFunctionReturn(0);
  }
  const PetscReal order = PetscLogReal(first[1] / last[1]) / PetscLogReal(first[0] / last[0]);
  CHECK(first[0] > 2 * last[0] && order >= 1.6 && last[1] <= 0.1 * last[0],
        "%s, %s: from %g to %g it is corrected to %g and %g, order %g", type, method, first[0], last[0],
        first[1], last[1], order);
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ effectivity */

enum { MOST = 128, NMETHODS = 6 };

/* The cases of one method on a problem. */
typedef struct {
  int cases, within, less; /* estimate / error in [0.5, 2]; corrected < as many more steps */
  PetscReal effectivity[MOST], error[MOST], corrected[MOST], more[MOST]; /* the last two by the error */
  PetscReal products[MOST];
} Row;

typedef struct {
  PetscBool verbose;
  int cases, within, better; /* relative error < 0.1: estimate / error in [0.5, 2]; corrected < plain */
  PetscInt products;         /* of the inner solves and around them, at most */
  Row row[NMETHODS];         /* of the problem at hand */
} Statistics;

static int ByValue(const void *a, const void *b)
{
  const PetscReal x = *(const PetscReal *)a, y = *(const PetscReal *)b;

  return (x > y) - (x < y);
}

static double Median(int n, PetscReal value[])
{
  qsort(value, (size_t)n, sizeof(*value), ByValue);
  return (double)value[n / 2];
}

static const char *const methods[][2] = {
    {"itd", "-hg_type itd"},
    {"itd, heavy ball", "-hg_type itd -lls_fpm_type heavyball"},
    {"cg k=t", "-hg_type aid"},
    {"cg k=10", "-hg_type aid"},
    {"fp k=t", "-hg_type aid -hg_ksp_type richardson -hg_fpm_step optimal"},
    {"cg k=t, heavy ball", "-hg_type aid -lls_fpm_type heavyball"},
};

static PetscErrorCode MethodOptions(const Case *k, int m, PetscInt t, PetscInt more_t, PetscInt more_k,
                                    size_t len, char text[])
{
  const char *const map[] = {
      "-hg_type itd", NULL, "-hg_type aid", "-hg_type aid", "-hg_type aid -hg_ksp_type richardson", NULL};
  const PetscBool itd = (PetscBool)(m < 2);
  const PetscInt adjoint = (m == 3 ? 10 : t) + more_k;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(text, len, "-hg_certificate estimate -lls_max_it %d %s%s", (int)(t + more_t),
                          k->map ? map[m] : methods[m][1], k->map ? "" : " -lls_fpm_step optimal"));
  if (itd) PetscFunctionReturn(0);
  char own[64];
  PetscCall(PetscSNPrintf(own, sizeof(own), " -hg_ksp_rtol 0 -hg_ksp_max_it %d", (int)adjoint));
  PetscCall(PetscStrlcat(text, own, len));
  PetscFunctionReturn(0);
}

/* The least error that as many products as the estimate took buy, spent on t, on k, or on both. */
static PetscErrorCode EqualWork(Case *k, int m, PetscInt t, PetscInt products, PetscReal *error)
{
  const PetscBool itd = (PetscBool)(m < 2);
  char text[512];
  HGReport report;
  PetscReal plain, corrected;

  PetscFunctionBegin;
  *error = PETSC_MAX_REAL;
  for (int share = 0; share <= (itd ? 0 : 2); share++) {
    const PetscInt more_t = itd ? products / 2 : products * share / 2; /* a step of itd is two products */
    PetscCall(MethodOptions(k, m, t, more_t, products - more_t, sizeof(text), text));
    PetscCall(Solve(k, text, &report));
    PetscCall(Errors(k, &plain, &corrected));
    *error = PetscMin(*error, plain);
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Measure(Case *k, int m, PetscInt t, PetscReal scale, Statistics *stats)
{
  char text[512];
  HGReport report;
  PetscReal plain, corrected, equal;

  PetscFunctionBegin;
  PetscCall(MethodOptions(k, m, t, 0, 0, sizeof(text), text));
  PetscCall(Solve(k, text, &report));
  PetscCall(Errors(k, &plain, &corrected));
  const PetscReal effectivity = report.estimate.value / (plain * scale);
  if (plain >= 0.1 || plain < 1e-10) PetscFunctionReturn(0);
  stats->cases++;
  stats->within += effectivity >= 0.5 && effectivity <= 2;
  stats->better += corrected < plain;
  stats->products = PetscMax(stats->products, report.estimate.products);
  if (!stats->verbose || stats->row[m].cases == MOST) PetscFunctionReturn(0);
  PetscCall(EqualWork(k, m, t, report.estimate.products, &equal));
  Row *const row = &stats->row[m];
  row->within += effectivity >= 0.5 && effectivity <= 2;
  row->less += corrected < equal;
  row->effectivity[row->cases] = effectivity;
  row->error[row->cases] = plain;
  row->corrected[row->cases] = corrected / plain;
  row->more[row->cases] = equal / plain;
  row->products[row->cases++] = report.estimate.products;
  PetscFunctionReturn(0);
}

/* Medians over the cases of each method, which are dropped. */
static PetscErrorCode Table(const char problem[], Statistics *stats)
{
  PetscFunctionBegin;
  for (int m = 0; m < NMETHODS; m++) {
    Row *const r = &stats->row[m];
    const int n = r->cases;
    if (stats->verbose && n > 0)
      PetscCall(PetscPrintf(TEST_COMM, "%-14s %-18s %5d %7.2f %8.3f %9.0f %9.1e %10.1e %10.1e %4d\n", problem,
                            methods[m][0], n, (double)r->within / n, Median(n, r->effectivity),
                            Median(n, r->products), Median(n, r->error), Median(n, r->corrected),
                            Median(n, r->more), r->less));
    *r = (Row){.cases = 0};
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode Effectivity(BLPType type, const Synthetic *s, PetscReal shift, Statistics *stats)
{
  PetscReal norm;
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(type, s, shift, &k));
  PetscCall(Exact(&k));
  PetscCall(VecNorm(k.exact, NORM_2, &norm));
  for (int m = 0; m < NMETHODS; m++) {
    if (k.map && (m == 1 || m == 5)) continue;
    for (PetscInt t = k.map ? 2 : 8; t <= (k.map ? 16 : 128); t *= 2)
      PetscCall(Measure(&k, m, t, norm, stats));
  }
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ a large condition number */

/* lambda_j from 0.1 to 1e4, by equal factors. */
static PetscErrorCode SetWide(Vec lambda)
{
  PetscInt first, nlocal, n;
  PetscScalar *a;

  PetscFunctionBegin;
  PetscCall(VecGetSize(lambda, &n));
  PetscCall(VecGetOwnershipRange(lambda, &first, NULL));
  PetscCall(VecGetLocalSize(lambda, &nlocal));
  PetscCall(VecGetArrayWrite(lambda, &a));
  for (PetscInt j = 0; j < nlocal; j++)
    a[j] = 0.1 * PetscPowReal(1e5, (PetscReal)(first + j) / (PetscReal)(n - 1));
  PetscCall(VecRestoreArrayWrite(lambda, &a));
  PetscFunctionReturn(0);
}

/* How many estimates are within a factor 2 where kappa is 1e5, ten inner steps at most, by the
 * preconditioner. */
static PetscErrorCode Wide(Case *k, const char precond[], PetscReal norm, Row *row)
{
  const char *const lower[] = {"-lls_type newton -lls_max_it 3", "-lls_type newton -lls_max_it 4",
                               "-lls_fpm_type heavyball -lls_fpm_step optimal -lls_max_it 600",
                               "-lls_fpm_type heavyball -lls_fpm_step optimal -lls_max_it 1500"};
  char text[512];
  HGReport report;
  PetscReal plain, corrected;

  PetscFunctionBegin;
  *row = (Row){.cases = 0};
  for (size_t i = 0; i < sizeof(lower) / sizeof(lower[0]); i++) {
    for (PetscInt its = 2; its <= 64; its *= 2) {
      PetscCall(PetscSNPrintf(text, sizeof(text),
                              "%s -hg_precond %s -hg_ksp_rtol 0 -hg_ksp_max_it %d -hg_certificate estimate",
                              lower[i], precond, (int)its));
      PetscCall(Solve(k, text, &report));
      PetscCall(Errors(k, &plain, &corrected));
      if (plain >= 0.1 || plain < 1e-10) continue;
      const PetscReal effectivity = report.estimate.value / (plain * norm);
      row->within += effectivity >= 0.5 && effectivity <= 2;
      row->less += corrected < plain;
      row->error[row->cases] = plain;
      row->corrected[row->cases] = corrected / plain;
      row->products[row->cases] = report.estimate.products;
      row->effectivity[row->cases++] = effectivity;
    }
  }
  PetscFunctionReturn(0);
}

static PetscErrorCode LargeCondition(PetscBool verbose)
{
  const Synthetic s = {.n = {80, 40, 0}, .p = 40, .c = 2, .density = 0.7, .seed = 5};
  const char *const precond[] = {"none", "jacobi", "nystrom"};
  PetscReal norm;
  Row row[3];
  Case k;

  PetscFunctionBegin;
  PetscCall(CaseCreate(BLPLOGISTIC, &s, 0, &k));
  PetscCall(SetWide(k.lambda));
  PetscCall(Exact(&k));
  PetscCall(VecNorm(k.exact, NORM_2, &norm));
  for (int i = 0; i < 3; i++) {
    PetscCall(Wide(&k, precond[i], norm, &row[i]));
    Row *const r = &row[i];
    if (verbose)
      PetscCall(PetscPrintf(
          TEST_COMM,
          "kappa 1e5, -hg_precond %-8s %2d of %2d within a factor 2, median estimate / error %.3f, "
          "%.0f products\n",
          precond[i], r->within, r->cases, Median(r->cases, r->effectivity), Median(r->cases, r->products)));
    CHECK(r->cases >= 4 && (i == 0 || (r->within >= 0.95 * r->cases && r->less >= 0.95 * r->cases)),
          "kappa 1e5, %s: %d of %d estimates within a factor 2", precond[i], r->within, r->cases);
  }
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ settings */

static PetscErrorCode Settings(const Synthetic *s)
{
  const char *const text = "-hg_type aid -lls_max_it 9 -lls_fpm_step 0.3 -hg_ksp_rtol 0 -hg_ksp_max_it 3 ";
  HGReport plain, report;
  PetscReal f, difference, norm;
  char more[256];
  Vec corrected, dg;
  Case k;
  HG hg;

  PetscFunctionBegin;
  PetscCall(CaseCreate(BLPSOFTMAX, s, 0, &k));
  PetscCall(VecDuplicate(k.g, &corrected));
  PetscCall(HGMake(k.blp, NULL, text, &hg)); /* nobody asks for one */
  PetscCall(HGSolve(hg, k.lambda, &f, k.g));
  PetscCall(HGGetReport(hg, &plain));
  CHECK(plain.estimate.standing == TWOFOLD_UNKNOWN && PetscIsNanReal(plain.estimate.value),
        "an estimate of %g", plain.estimate.value);
  CHECK_RAISES(PETSC_ERR_ARG_WRONGSTATE, HGGetCorrection(hg, &dg));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, HGSetEstimateTolerances(hg, 0, 3));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, HGSetEstimateTolerances(hg, 1, 3));
  CHECK_RAISES(PETSC_ERR_ARG_OUTOFRANGE, HGSetEstimateTolerances(hg, 0.1, 0));
  PetscCall(HGSetCertificate(hg, HG_CERTIFICATE_ESTIMATE)); /* it changes nothing else */
  PetscCall(HGSolve(hg, k.lambda, &f, corrected));
  PetscCall(VecAXPY(corrected, -1, k.g));
  PetscCall(VecNorm(corrected, NORM_2, &difference));
  PetscCall(HGGetReport(hg, &report));
  CHECK(difference == 0 && report.norm == plain.norm && report.reason == plain.reason, "g differs by %g",
        difference);
  PetscCall(HGDestroy(&hg));
  PetscCall(
      PetscSNPrintf(more, sizeof(more), "%s -hg_correct -hg_estimate_rtol 1e-3 -hg_estimate_max_it 1", text));
  PetscCall(HGMake(k.blp, NULL, more, &hg));
  PetscCall(HGSolve(hg, k.lambda, &f, corrected));
  PetscCall(HGGetReport(hg, &report));
  PetscCall(HGGetCorrection(hg, &dg));
  PetscCall(VecNorm(corrected, NORM_2, &norm));
  PetscCall(VecAXPY(corrected, -1, dg));
  PetscCall(RelativeDifference(corrected, k.g, &difference));
  CHECK(difference <= 1e-14 && report.norm == norm && norm != plain.norm, "corrected g differs by %g",
        difference);
  CHECK(report.estimate.products == 6, "%d products for one step in each inner solve",
        (int)report.estimate.products);
  PetscCall(HGDestroy(&hg));
  PetscCall(VecDestroy(&corrected));
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* A bound beside a correction is that of the corrected hypergradient. */
static PetscErrorCode BoundOfCorrected(const Synthetic *s)
{
  const char *const text = "-lls_max_it 12 -lls_fpm_step optimal -hg_ksp_rtol 0 -hg_ksp_max_it 3";
  HGReport plain, corrected;
  PetscReal f, error, norm;
  Case k;
  HG hg;

  PetscFunctionBegin;
  PetscCall(CaseCreate(BLPLOGISTIC, s, 0, &k));
  PetscCall(Exact(&k));
  for (int i = 0; i < 2; i++) {
    PetscCall(HGMake(k.blp, NULL, text, &hg));
    PetscCall(HGSetCertificate(hg, HG_CERTIFICATE_BOTH));
    PetscCall(HGSetCorrect(hg, (PetscBool)(i == 1)));
    PetscCall(HGSolve(hg, k.lambda, &f, k.g));
    PetscCall(HGGetReport(hg, i ? &corrected : &plain));
    PetscCall(HGDestroy(&hg));
  }
  CHECK_CLOSE(corrected.bound.value, plain.bound.value + plain.estimate.value, 1e-14, "bound when corrected");
  PetscCall(RelativeDifference(k.g, k.exact, &error));
  PetscCall(VecNorm(k.exact, NORM_2, &norm));
  CHECK(error * norm <= corrected.bound.value, "error %g, bound %g", error * norm, corrected.bound.value);
  PetscCall(CaseDestroy(&k));
  PetscFunctionReturn(0);
}

/* With folds it is the mean of the folds' estimates. */
static PetscErrorCode Folds(void)
{
  enum { F = 3 };
  const Synthetic s = {.n = {24, 0, 0}, .p = 5, .c = 2, .density = 0.7, .seed = 1};
  const char *const text = "-hg_type aid -lls_max_it 9 -lls_fpm_step 0.3 -hg_certificate estimate";
  PetscReal f, sum = 0;
  PetscInt products = 0;
  HGReport report;
  DataSet all;
  Vec lambda, g, dg;
  BLP blp;
  HG hg, child;

  PetscFunctionBegin;
  PetscCall(SyntheticDataSet(TEST_COMM, &s, 0, &all));
  PetscCall(BLPCreate(TEST_COMM, &blp));
  PetscCall(BLPSetType(blp, BLPSOFTMAX));
  PetscCall(BLPSetData(blp, all, NULL, NULL));
  PetscCall(BLPSetFolds(blp, F, 1));
  PetscCall(HGMake(blp, NULL, text, &hg));
  PetscCall(BLPCreateVecs(blp, &lambda, NULL));
  PetscCall(VecDuplicate(lambda, &g));
  PetscCall(HGSolve(hg, lambda, &f, g));
  for (PetscInt k = 0; k < F; k++) {
    PetscCall(HGFoldsGetHG(hg, k, &child));
    PetscCall(HGGetReport(child, &report));
    sum += report.estimate.value;
    products += report.estimate.products;
  }
  PetscCall(HGGetReport(hg, &report));
  CHECK_CLOSE(report.estimate.value, sum / F, 1e-14, "estimate of folds");
  CHECK(report.estimate.products == products && report.estimate.standing == TWOFOLD_COMPUTED,
        "%d products of folds, %s", (int)report.estimate.products, report.estimate.origin);
  CHECK_RAISES(PETSC_ERR_SUP, HGGetCorrection(hg, &dg));
  PetscCall(VecDestroy(&lambda));
  PetscCall(VecDestroy(&g));
  PetscCall(HGDestroy(&hg));
  PetscCall(BLPDestroy(&blp));
  PetscCall(DataSetDestroy(&all));
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  const Synthetic small[] = {
      {.n = {13, 5, 0}, .p = 5, .c = 3, .density = 0.7, .seed = 1},
      {.n = {13, 5, 0}, .p = 4, .c = 3, .density = 0.7, .map = PETSC_TRUE, .seed = 2},
  };
  const PetscReal shift[] = {2, 0, -2};
  const char **problems;
  PetscInt nproblems;
  PetscMPIInt size;
  Statistics stats = {.verbose = PETSC_FALSE};

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(PetscOptionsHasName(NULL, NULL, "-verbose", &stats.verbose));
  PetscCallMPI(MPI_Comm_size(TEST_COMM, &size));
  PetscCall(BLPGetRegistered(&nproblems, &problems));
  if (stats.verbose)
    PetscCall(PetscPrintf(
        TEST_COMM,
        "medians over the cases with a relative error below 0.1: estimate / error, products of the "
        "estimate,\nerror of g, and what the correction and as many more steps leave of it; "
        "less: the correction leaves less\n%-14s %-18s %5s %7s %8s %9s %9s %10s %10s %4s\n",
        "problem", "method", "cases", "[0.5,2]", "est./err", "products", "error", "corrected", "more steps",
        "less"));
  for (PetscInt b = 0; b < nproblems; b++) {
    for (size_t i = 0; i < sizeof(small) / sizeof(small[0]); i++) {
      if (!SyntheticHasKind(problems[b], small[i].map)) continue;
      Synthetic s = small[i];
      char name[64];
      PetscCall(Definition(problems[b], &s));
      PetscCall(Order(problems[b], &s, "-hg_type itd"));
      PetscCall(Order(problems[b], &s, "-hg_type aid -hg_ksp_rtol 1e-12"));
      s.p = s.c = 20;
      s.n[0] = 60;
      s.n[1] = 30;
      s.c = s.map ? 20 : 4;
      for (size_t j = 0; j < (s.map ? 1 : sizeof(shift) / sizeof(shift[0])); j++)
        if (size <= 2) PetscCall(Effectivity(problems[b], &s, shift[j], &stats));
      PetscCall(PetscSNPrintf(name, sizeof(name), "%s%s", problems[b], s.map ? ", map" : ""));
      PetscCall(Table(name, &stats));
    }
  }
  if (stats.verbose)
    PetscCall(PetscPrintf(TEST_COMM,
                          "%d of %d within a factor 2, %d better when corrected, products at most %d\n",
                          stats.within, stats.cases, stats.better, (int)stats.products));
  CHECK((size > 2 || stats.cases >= 30) && stats.within >= 0.95 * stats.cases,
        "%d of %d estimates within a factor 2", stats.within, stats.cases);
  CHECK(stats.better >= 0.95 * stats.cases, "%d of %d better when corrected", stats.better, stats.cases);
  CHECK(stats.products <= 24, "%d products", (int)stats.products);
  PetscCall(PetscFree(problems));
  if (size == 1) PetscCall(LargeCondition(stats.verbose));
  PetscCall(Settings(&small[0]));
  PetscCall(BoundOfCorrected(&small[0]));
  PetscCall(Folds());
  PetscCall(TestFinalize());
  return 0;
}
