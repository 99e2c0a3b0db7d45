/* Steps of Adam against a plain implementation, projected steps against the formula, the best point of a run
   that oscillates, and checkpoints of all that. */
#include "files.h"
#include "upper.h"

enum { ROWS = 64 };

typedef struct {
  BLP blp;
  Vec lambda;
} Case;

typedef struct {
  PetscInt n, last;
  PetscReal f[ROWS], projected[ROWS];
  PetscScalar lambda[ROWS][UPPER_P], g[ROWS][UPPER_P];
} Rows;

static PetscErrorCode Watch(ULS uls, const ULSPoint *point, void *ctx)
{
  Rows *rows = (Rows *)ctx;

  PetscFunctionBegin;
  (void)uls;
  rows->f[point->it] = point->f;
  rows->projected[point->it] = point->projected_norm;
  PetscCall(VecGather(point->lambda, rows->lambda[point->it]));
  if (point->g) PetscCall(VecGather(point->g, rows->g[point->it]));
  rows->last = point->it;
  rows->n++;
  PetscFunctionReturn(0);
}

static PetscErrorCode Start(Case *k, const PetscScalar start[])
{
  PetscFunctionBegin;
  PetscCall(VecFill(k->lambda, start));
  PetscFunctionReturn(0);
}

static const PetscScalar origin[UPPER_P] = {0, 0.5, -0.5};

/* ------------------------------------------------------------------ Adam */

/* Kingma and Ba's algorithm 1, step t = 1, 2, ... at once in the form of its section 2's last lines: the
   correction of both biases put into the step size. */
static void AdamByHand(PetscInt t, PetscReal step, PetscReal b1, PetscReal b2, PetscReal eps,
                       const PetscReal g[], PetscReal m[], PetscReal v[], PetscReal x[])
{
  PetscReal b1t = 1, b2t = 1;

  for (PetscInt i = 0; i < t; i++) {
    b1t *= b1;
    b2t *= b2;
  }
  for (int j = 0; j < UPPER_P; j++) {
    m[j] += (1 - b1) * (g[j] - m[j]);
    v[j] += (1 - b2) * (g[j] * g[j] - v[j]);
    x[j] -= step * PetscSqrtReal(1 - b2t) / (1 - b1t) * m[j] /
            (PetscSqrtReal(v[j]) + eps * PetscSqrtReal(1 - b2t));
  }
}

static PetscErrorCode Adam(Case *k, const char options[], PetscReal b1, PetscReal b2, PetscReal eps)
{
  const PetscInt steps = 12;
  PetscReal x[UPPER_P], m[UPPER_P] = {0}, v[UPPER_P] = {0};
  Rows rows = {0};
  ULS uls;

  PetscFunctionBegin;
  PetscCall(UpperStart(k->blp, exact, options, "-uls_step 0.2 -uls_momentum_type adam -uls_max_it 12", &uls));
  PetscCall(ULSMonitorSet(uls, Watch, &rows));
  PetscCall(Start(k, origin));
  PetscCall(ULSSolve(uls, k->lambda));
  CHECK(rows.n == steps + 1, "%d points", (int)rows.n);
  PetscCall(PetscArraycpy(x, origin, UPPER_P));
  for (PetscInt i = 0; i <= steps; i++) {
    const PetscReal far = ArrayDifference(UPPER_P, rows.lambda[i], x);
    CHECK(far <= 1e-12, "%s: lambda_%d is %g off", options, (int)i, far);
    AdamByHand(i + 1, 0.2, b1, b2, eps, rows.g[i], m, v, x);
  }
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ projection */

static void Clip(PetscReal x[])
{
  for (int j = 0; j < UPPER_P; j++) x[j] = PetscMin(PetscMax(x[j], -1), 0.4);
}

/* Projected heavy ball, and Nesterov's momentum, on the box [-1, 0.4] from a start outside: lambda is
   projected, the velocity is not. */
static PetscErrorCode Projected(Case *k, const char momentum[], PetscBool nesterov)
{
  const PetscScalar outside[UPPER_P] = {-3, 0.2, 7};
  const PetscInt steps = 20;
  PetscReal x[UPPER_P], y[UPPER_P], v[UPPER_P] = {0};
  PetscInt active = 0;
  Rows rows = {0};
  ULS uls;

  PetscFunctionBegin;
  PetscCall(UpperStart(k->blp, exact, box, momentum, &uls));
  PetscCall(ULSMonitorSet(uls, Watch, &rows));
  PetscCall(Start(k, outside));
  PetscCall(ULSSolve(uls, k->lambda));
  PetscCall(PetscArraycpy(x, outside, UPPER_P));
  Clip(x);
  for (PetscInt i = 0; i <= steps; i++) {
    PetscReal norm = 0;
    const PetscReal far = ArrayDifference(UPPER_P, rows.lambda[i], x);
    CHECK(far <= 1e-12, "%s: lambda_%d is %g off", momentum, (int)i, far);
    if (i == steps) break;
    for (int j = 0; j < UPPER_P; j++) y[j] = x[j] - rows.g[i][j];
    Clip(y);
    for (int j = 0; j < UPPER_P; j++) norm += (x[j] - y[j]) * (x[j] - y[j]);
    CHECK(PetscAbsReal(rows.projected[i] - PetscSqrtReal(norm)) <= 1e-12, "projected norm %g instead of %g",
          rows.projected[i], PetscSqrtReal(norm));
    for (int j = 0; j < UPPER_P; j++) {
      v[j] = 0.6 * v[j] + rows.g[i][j];
      x[j] -= 8 * (nesterov ? rows.g[i][j] + 0.6 * v[j] : v[j]);
    }
    Clip(x);
    for (int j = 0; j < UPPER_P; j++) active += x[j] == -1 || x[j] == 0.4;
  }
  CHECK(rows.projected[steps] == -1 && active > 0, "%d bounds were active", (int)active);
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

/* Bounds that the problem has are the set where none is chosen, for Tao as well. */
static PetscErrorCode ProblemBounds(Case *k)
{
  const char *const solvers[] = {"-uls_step 20 -uls_max_it 15", "-uls_type tao -uls_max_it 5"};
  PetscScalar with_set[UPPER_P];
  PetscReal far;
  Vec lower, upper;
  BLP plain = k->blp;
  ULS uls;

  PetscFunctionBegin;
  for (int i = 0; i < 2; i++) {
    PetscCall(UpperStart(plain, exact, box, solvers[i], &uls));
    PetscCall(Start(k, origin));
    PetscCall(ULSSolve(uls, k->lambda));
    PetscCall(VecGather(k->lambda, with_set));
    PetscCall(ULSDestroy(&uls));
    PetscCall(UpperProblem(TEST_COMM, &k->blp));
    PetscCall(VecDuplicate(k->lambda, &lower));
    PetscCall(VecDuplicate(k->lambda, &upper));
    PetscCall(VecSet(lower, -1));
    PetscCall(VecSet(upper, 0.4));
    PetscCall(BLPSetBounds(k->blp, lower, upper));
    PetscCall(VecDestroy(&lower));
    PetscCall(VecDestroy(&upper));
    PetscCall(UpperStart(k->blp, exact, "", solvers[i], &uls));
    PetscCall(Start(k, origin));
    PetscCall(ULSSolve(uls, k->lambda));
    PetscCall(VecDifference(k->lambda, with_set, &far));
    CHECK(far == 0, "%s: %g away from the run on the box", solvers[i], far);
    PetscCall(ULSDestroy(&uls));
    PetscCall(BLPDestroy(&k->blp));
    k->blp = plain;
  }
  PetscFunctionReturn(0);
}

/* On a ball as well; -uls_gatol looks at the projected gradient, since g itself does not vanish there. */
static PetscErrorCode Ball(Case *k)
{
  ULSConvergedReason reason;
  PetscReal norm, g_norm, cosine;
  PetscInt it;
  Rows rows = {0};
  ULS uls;

  PetscFunctionBegin;
  PetscCall(UpperStart(k->blp, exact, "-lset_type l2ball -lset_radius 0.7",
                       "-uls_step 60 -uls_gatol 1e-7 -uls_max_it 60", &uls));
  PetscCall(ULSMonitorSet(uls, Watch, &rows));
  PetscCall(Start(k, origin));
  PetscCall(ULSSolve(uls, k->lambda));
  PetscCall(ULSGetConvergedReason(uls, &reason));
  PetscCall(ULSGetIterationNumber(uls, &it));
  CHECK(reason == ULS_CONVERGED_GATOL, "ended by %s after %d", ULSConvergedReasons[reason], (int)it);
  PetscCall(VecNorm(k->lambda, NORM_2, &norm));
  CHECK_CLOSE(norm, 0.7, 1e-12, "||lambda||");
  /* g points inwards, along -lambda */
  norm = g_norm = cosine = 0;
  for (int j = 0; j < UPPER_P; j++) {
    norm += rows.lambda[it][j] * rows.lambda[it][j];
    g_norm += rows.g[it][j] * rows.g[it][j];
    cosine -= rows.lambda[it][j] * rows.g[it][j];
  }
  CHECK(g_norm > 1e-6, "||g|| %g at a point of the sphere", PetscSqrtReal(g_norm));
  CHECK_CLOSE(cosine, PetscSqrtReal(norm * g_norm), 1e-8, "cosine of -g and lambda");
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ the best point */

/* Steps so long that f goes up and down: the best point is in the middle, the first of the lowest. */
static PetscErrorCode Best(Case *k)
{
  PetscInt least = 0, best_it;
  PetscReal best_f, far;
  Rows rows = {0};
  Vec best;
  ULS uls;

  PetscFunctionBegin;
  PetscCall(UpperStart(k->blp, exact, "-lset_type box -lset_lower -3 -lset_upper 1.5",
                       "-uls_step 400 -uls_max_it 25", &uls));
  PetscCall(ULSGetBest(uls, &best, &best_f, &best_it));
  CHECK(!best && PetscIsInfReal(best_f) && best_it == -1, "a best point before the first");
  PetscCall(ULSMonitorSet(uls, Watch, &rows));
  PetscCall(Start(k, origin));
  PetscCall(ULSSolve(uls, k->lambda));
  for (PetscInt i = 1; i <= rows.last; i++)
    if (rows.f[i] < rows.f[least]) least = i;
  CHECK(least > 0 && least < rows.last, "the run does not oscillate: least at %d", (int)least);
  PetscCall(ULSGetBest(uls, &best, &best_f, &best_it));
  CHECK(best_it == least && best_f == rows.f[least], "best %g of point %d, not %g of %d", best_f,
        (int)best_it, rows.f[least], (int)least);
  PetscCall(VecDifference(best, rows.lambda[least], &far));
  CHECK(far == 0, "the best lambda is %g off", far);
  /* a new solve forgets it */
  PetscCall(ULSSetBLP(uls, k->blp));
  PetscCall(ULSSetMaximumIterations(uls, 0));
  PetscCall(Start(k, origin));
  PetscCall(ULSSolve(uls, k->lambda));
  PetscCall(ULSGetBest(uls, &best, &best_f, &best_it));
  CHECK(best_it == 0 && PetscAbsReal(best_f - rows.f[0]) <= 1e-12, "best %g of point %d", best_f,
        (int)best_it);
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ checkpoints */

/* 4 steps, a checkpoint, 5 more in new objects: bitwise 9 steps without a break, best point and work too. */
static PetscErrorCode Resume(Case *k, const char folder[], const char method[], const char set[])
{
  char path[PETSC_MAX_PATH_LEN];
  PetscScalar whole[UPPER_P], whole_best[UPPER_P];
  PetscReal f, best_f, far;
  PetscInt best_it, it;
  PetscInt64 work[3], whole_work[3];
  Vec best;
  ULS uls;

  PetscFunctionBegin;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/checkpoint.h5", folder));
  PetscCall(UpperStart(k->blp, method, set, "-uls_max_it 9", &uls));
  PetscCall(Start(k, origin));
  PetscCall(ULSSolve(uls, k->lambda));
  PetscCall(VecGather(k->lambda, whole));
  PetscCall(ULSGetBest(uls, &best, &f, &it));
  PetscCall(VecGather(best, whole_best));
  PetscCall(ULSGetWork(uls, &whole_work[0], &whole_work[1], &whole_work[2]));
  PetscCall(ULSDestroy(&uls));

  PetscCall(UpperStart(k->blp, method, set, "-uls_max_it 4", &uls));
  PetscCall(Start(k, origin));
  PetscCall(ULSSolve(uls, k->lambda));
  PetscCall(UpperSave(uls, k->lambda, path));
  PetscCall(ULSDestroy(&uls));

  PetscCall(UpperStart(k->blp, method, set, "-uls_max_it 9", &uls));
  PetscCall(UpperRestore(uls, k->lambda, path));
  PetscCall(ULSSolve(uls, k->lambda));
  PetscCall(VecDifference(k->lambda, whole, &far));
  CHECK(far == 0, "%s: lambda is %g off", method, far);
  PetscCall(ULSGetBest(uls, &best, &best_f, &best_it));
  CHECK(best_it == it && best_f == f, "%s: best %.17g of %d, not %.17g of %d", method, best_f, (int)best_it,
        f, (int)it);
  PetscCall(VecDifference(best, whole_best, &far));
  CHECK(far == 0, "%s: the best lambda is %g off", method, far);
  PetscCall(ULSGetWork(uls, &work[0], &work[1], &work[2]));
  /* the last point of the first part was computed twice: without and with its gradient */
  CHECK(work[2] == whole_work[2] + 1 && work[0] > whole_work[0], "%s: %d points, %d without a break", method,
        (int)work[2], (int)whole_work[2]);
  PetscCall(ULSDestroy(&uls));
  PetscFunctionReturn(0);
}

static PetscErrorCode Checkpoints(Case *k)
{
  const char *const few = "-lls_max_it 8 -lls_fpm_type heavyball -lls_fpm_step 0.5 -lls_fpm_momentum 0.5 "
                          "-lls_warm_start -hg_warm_start -hg_ksp_rtol 0 -hg_ksp_max_it 4";
  char folder[PETSC_MAX_PATH_LEN], text[512];

  PetscFunctionBegin;
  PetscCall(FolderCreate(folder));
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s -uls_momentum_type adam -uls_step 0.3", few));
  PetscCall(Resume(k, folder, text, ""));
  PetscCall(Resume(k, folder, text, box));
  PetscCall(PetscSNPrintf(text, sizeof(text), "%s -uls_momentum 0.5 -uls_step 300", few));
  PetscCall(Resume(k, folder, text, box));
  PetscCall(Resume(k, folder, text, "-lset_type l2ball -lset_radius 0.7"));
  PetscCall(PetscSNPrintf(text, sizeof(text),
                          "%s -uls_momentum 0.5 -uls_momentum_type nesterov -uls_step 300", few));
  PetscCall(Resume(k, folder, text, box));
  PetscCall(Resume(k, folder, text, "-lset_type l2ball -lset_radius 0.7"));
  PetscCall(FolderRemove(folder));
  PetscFunctionReturn(0);
}

/* ------------------------------------------------------------------ settings */

static PetscErrorCode Refusals(Case *k)
{
  const struct {
    const char *options;
    int code;
  } bad[] = {{"-uls_momentum_type adam -uls_momentum 0.9", PETSC_ERR_ARG_INCOMP},
             {"-uls_momentum_type adam -uls_adam_beta1 1", PETSC_ERR_ARG_OUTOFRANGE},
             {"-uls_momentum_type adam -uls_adam_beta2 -0.1", PETSC_ERR_ARG_OUTOFRANGE},
             {"-uls_momentum_type adam -uls_adam_epsilon 0", PETSC_ERR_ARG_OUTOFRANGE}};
  ULS uls;

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    CHECK_RAISES(bad[i].code, UpperStart(k->blp, exact, bad[i].options, "", &uls));
    PetscCall(ULSDestroy(&uls));
  }
  PetscFunctionReturn(0);
}

int main(int argc, char **argv)
{
  Case k;

  PetscFunctionBeginUser;
  PetscCall(TestInitialize(&argc, &argv));
  PetscCall(UpperProblem(TEST_COMM, &k.blp));
  PetscCall(BLPCreateVecs(k.blp, &k.lambda, NULL));
  PetscCall(Adam(&k, "", 0.9, 0.999, 1e-8));
  PetscCall(Adam(&k, "-uls_adam_beta1 0.7 -uls_adam_beta2 0.95 -uls_adam_epsilon 1e-3", 0.7, 0.95, 1e-3));
  PetscCall(Projected(&k, "-uls_step 8 -uls_momentum 0.6 -uls_max_it 20", PETSC_FALSE));
  PetscCall(
      Projected(&k, "-uls_step 8 -uls_momentum 0.6 -uls_momentum_type nesterov -uls_max_it 20", PETSC_TRUE));
  PetscCall(ProblemBounds(&k));
  PetscCall(Ball(&k));
  PetscCall(Best(&k));
  PetscCall(Checkpoints(&k));
  PetscCall(Refusals(&k));
  PetscCall(VecDestroy(&k.lambda));
  PetscCall(BLPDestroy(&k.blp));
  PetscCall(TestFinalize());
  return 0;
}
